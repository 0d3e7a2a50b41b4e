// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct LeaseDurationTests {
    // Several rows share a line, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        ("1h30m", .seconds(5_400)), ("90s", .seconds(90)), ("7d", .seconds(604_800)), ("1.5h", .seconds(5_400)),
        ("250ms", .milliseconds(250)), ("3600", .seconds(3_600)), ("0", .zero), ("0s", .zero), ("007s", .seconds(7)),
        ("768h", .seconds(2_764_800)), ("1d2h3m4s5ms6us7ns", .seconds(93_784) + .nanoseconds(5_006_007)),
        ("30m1h", .seconds(5_400)), ("0.5d", .seconds(43_200)), ("1.50s", .milliseconds(1_500)),
        ("1us", .microseconds(1)), ("1\u{B5}s", .microseconds(1)), ("1\u{3BC}s", .microseconds(1)),
        ("1.000000000000000001s", .seconds(1) + Duration(attoseconds: 1)),
        ("0.000000001ns", Duration(attoseconds: 1)), ("1.00000000000000000000000000s", .seconds(1)),
        ("9223372036854775807s", .seconds(Int64.max)), ("9223372036854775807", .seconds(Int64.max)),
    ] as [(String, Duration)])
    func reads(_ text: String, _ duration: Duration) throws {
        #expect(try LeaseDuration.parse(text) == duration)
    }

    // Several rows share a line, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        ("-5m", .seconds(-300)), ("-1h30m", .seconds(-5_400)), ("-90", .seconds(-90)), ("-0s", .zero),
        ("5m", .seconds(300)),
    ] as [(String, Duration)])
    func readsNegativeWhereAllowed(_ text: String, _ duration: Duration) throws {
        #expect(try LeaseDuration.parse(text, allowingNegative: true) == duration)
    }

    // Several rows share a line, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        ("", .empty, 1), (" ", .whitespace, 1), (" 5m", .whitespace, 1), ("5m ", .whitespace, 3),
        ("1h 30m", .whitespace, 3), ("5 m", .whitespace, 2), ("5m\n", .whitespace, 3), ("5m\r\n", .whitespace, 3),
        ("5\u{A0}m", .whitespace, 2), ("-5m", .negative, 1), ("-", .negative, 1), ("+5m", .missingNumber, 1),
        ("h", .missingNumber, 1), (".5h", .missingNumber, 1), ("5.h", .missingNumber, 3), ("5.", .missingNumber, 3),
        ("1h,30m", .missingNumber, 3), ("1hh", .unknownUnit, 2), ("1h-30m", .missingNumber, 3),
        ("1.5", .missingUnit, 4), ("1h30", .missingUnit, 5), ("1,5h", .unexpectedCharacter, 2),
        ("1:30", .unexpectedCharacter, 2), ("1.5.5h", .unexpectedCharacter, 4), ("5%", .unexpectedCharacter, 2),
        ("2w", .unknownUnit, 2), ("5hours", .unknownUnit, 2), ("5H", .unknownUnit, 2), ("1h5M", .unknownUnit, 4),
        ("1e3s", .unknownUnit, 2), ("5h\u{301}", .unknownUnit, 2), ("0x10", .unknownUnit, 2),
        ("1h2h", .repeatedUnit, 4), ("1us2\u{B5}s", .repeatedUnit, 5), ("1m2s3m", .repeatedUnit, 6),
        ("\u{0665}m", .missingNumber, 1), ("never", .missingNumber, 1),
        ("9223372036854775808s", .tooLong, 1), ("1h9223372036854775807s", .tooLong, 3),
        ("106751991167301d", .tooLong, 1), ("99999999999999999999999999999999999999999999s", .tooLong, 1),
        ("9223372036854775807.1s", .tooLong, 1), ("1m0.0000000001ns", .tooPrecise, 3),
        ("0.0000000000000000001s", .tooPrecise, 1),
    ] as [(String, LeaseDurationError.Code, Int)])
    func refuses(_ text: String, _ code: LeaseDurationError.Code, _ position: Int) {
        let error = #expect(throws: LeaseDurationError.self) { try LeaseDuration.parse(text) }
        #expect(error?.code == code)
        #expect(error?.position == position)
        #expect(error?.description.contains("character \(position)") == true)
    }

    @Test func aMinusSignAloneIsNoNumber() {
        let error = #expect(throws: LeaseDurationError.self) { try LeaseDuration.parse("-", allowingNegative: true) }
        #expect(error?.code == .missingNumber)
        #expect(error?.position == 2)
    }

    @Test func sentencesSayWhatWouldBeRight() {
        let weeks = #expect(throws: LeaseDurationError.self) { try LeaseDuration.parse("1h2w") }
        #expect(
            weeks?.description == "invalid duration at character 4: the unit \"w\" is unknown; "
                + "write weeks as days, 2w is 14d"
        )
        let long = #expect(throws: LeaseDurationError.self) { try LeaseDuration.parse("5hunter") }
        #expect(long?.description.contains("\"hunter\"") == true)
        let longer = #expect(throws: LeaseDurationError.self) { try LeaseDuration.parse("5correcthorsebattery") }
        #expect(longer?.description.contains("\"correcth…\"") == true)
        #expect(longer?.description.contains("battery") == false)
    }

    // Several rows share a line, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        (.zero, "0s", "0s"), (.seconds(1), "1s", "1s"), (.seconds(60), "1m", "1m"), (.seconds(3_600), "1h", "1h"),
        (.seconds(3_601), "1h1s", "1h1s"), (.seconds(3_599), "59m59s", "59m59s"), (.seconds(86_400), "1d", "24h"),
        (.seconds(93_600), "1d2h", "26h"), (.seconds(2_764_800), "32d", "768h"), (.seconds(600), "10m", "10m"),
        (.seconds(36_000), "10h", "10h"), (.seconds(36_010), "10h10s", "10h10s"),
        (.milliseconds(1_500), "1.5s", "1.5s"), (.milliseconds(250), "250ms", "250ms"),
        (.seconds(60) + .milliseconds(500), "1m0.5s", "1m0.5s"), (.microseconds(1_500), "1.5ms", "1.5ms"),
        (.microseconds(100), "100us", "100\u{B5}s"), (.nanoseconds(1_100), "1.1us", "1.1\u{B5}s"),
        (.nanoseconds(7), "7ns", "7ns"), (.nanoseconds(999_999_999), "999.999999ms", "999.999999ms"),
        (.seconds(1) + .nanoseconds(1), "1.000000001s", "1.000000001s"), (.seconds(-300), "-5m", "-5m"),
        (.milliseconds(-1_500), "-1.5s", "-1.5s"), (.seconds(-90_000), "-1d1h", "-25h"),
        (Duration(attoseconds: 1), "0.000000001ns", "0s"), (Duration(attoseconds: -1), "-0.000000001ns", "0s"),
        (.seconds(1) + Duration(attoseconds: 1), "1.000000000000000001s", "1s"),
        (.nanoseconds(Int64.max), "106751d23h47m16.854775807s", "2562047h47m16.854775807s"),
    ] as [(Duration, String, String)])
    func writes(_ duration: Duration, _ text: String, _ vaultText: String) {
        #expect(LeaseDuration.text(of: duration) == text)
        #expect(LeaseDuration.vaultText(of: duration) == vaultText)
    }

    @Test func theShortestAndTheLongestCanBeWritten() {
        for attoseconds in [Int128.min, .max] {
            let duration = Duration(attoseconds: attoseconds)
            #expect(LeaseDuration.text(of: duration).hasSuffix("s"))
            #expect(LeaseDuration.vaultText(of: duration).hasSuffix("s"))
        }
    }

    @Test func whatIsWrittenIsReadBackTheSame() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<20_000 {
            // A random number of bits makes every order of magnitude as likely as any other.
            let bits = Int128.random(in: .min ... .max, using: &random) >> Int.random(in: 6..<127, using: &random)
            let step = ([1, 1_000_000_000, 1_000_000_000_000_000_000] as [Int128]).randomElement(using: &random) ?? 1
            let duration = Duration(attoseconds: bits / step * step)
            let text = LeaseDuration.text(of: duration)
            let read = try? LeaseDuration.parse(text, allowingNegative: true)
            guard read == duration else {
                Issue.record("LEASEKIT_SEED=\(seed), round \(round): \(text) is read as \(String(describing: read))")
                return
            }
            let vaultText = LeaseDuration.vaultText(of: duration)
            let wholeNanoseconds = Duration(attoseconds: duration.attoseconds / 1_000_000_000 * 1_000_000_000)
            guard (try? LeaseDuration.parse(vaultText, allowingNegative: true)) == wholeNanoseconds else {
                Issue.record("LEASEKIT_SEED=\(seed), round \(round): \(vaultText)")
                return
            }
        }
    }
}
