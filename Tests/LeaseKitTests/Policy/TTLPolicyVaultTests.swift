// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// The rules of Vault's TTL calculator, one sentence a row.
@Suite struct TTLPolicyVaultTests {
    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("the system's default holds when nobody says anything", .grants("12h", .system, left: "24h")),
        TTLRow("the mount's default replaces the system's", mount: limits("2h"), .grants("2h", .mount, left: "24h")),
        TTLRow("the mount's default may be longer", mount: limits("20h"), .grants("20h", .mount, left: "24h")),
        TTLRow("a mount's default of zero inherits", mount: limits("0s"), .grants("12h", .system, left: "24h")),
        TTLRow(
            "the role's default replaces the mount's", mount: limits("2h"), role: limits("1h"),
            .grants("1h", .role, left: "24h")),
        TTLRow(
            "a role's default of zero is none", mount: limits("2h"), role: limits("0s"),
            .grants("2h", .mount, left: "24h")),
        TTLRow(
            "a negative role's default is none", mount: limits("2h"), role: limits("-1h"),
            .grants("2h", .mount, left: "24h")),
        TTLRow(
            "an increment beats a role's default", role: limits("1h"), asks: "2h",
            .grants("2h", .request, left: "24h")),
        TTLRow("an increment may be shorter", role: limits("1h"), asks: "10m", .grants("10m", .request, left: "24h")),
        TTLRow("an increment of zero is none", asks: "0s", .grants("12h", .system, left: "24h")),
        TTLRow("a negative increment is none", asks: "-5m", .grants("12h", .system, left: "24h")),
        TTLRow(
            "a negative increment leaves the role's default", role: limits("1h"), asks: "-5m",
            .grants("1h", .role, left: "24h")),
        TTLRow("an increment is never rounded", asks: "1500ms", .grants("1.5s", .request, left: "24h")),
        TTLRow(
            "a default of less than a second stays", role: limits("250ms"), .grants("250ms", .role, left: "24h")),
    ])
    func time(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("an exact fit gives no warning", asks: "24h", .grants("24h", .request, left: "24h")),
        TTLRow(
            "a nanosecond more gives one", asks: "24h1ns",
            .grants("24h", .system, left: "24h", ttlWarning("24h0.000000001s", "24h"))),
        TTLRow(
            "an increment is cut to the maximum", asks: "48h",
            .grants("24h", .system, left: "24h", ttlWarning("48h", "24h"))),
        TTLRow(
            "a default as long as the maximum fits", system: limits("24h", max: "24h"),
            .grants("24h", .system, left: "24h")),
        TTLRow(
            "the role's maximum lowers", role: limits(max: "6h"),
            .grants("6h", .role, left: "6h", ttlWarning("12h", "6h"))),
        TTLRow(
            "the role's maximum cannot raise", role: limits(max: "48h"), asks: "30h",
            .grants("24h", .system, left: "24h", ttlWarning("30h", "24h"))),
        TTLRow("a role's maximum of zero is none", role: limits(max: "0s"), .grants("12h", .system, left: "24h")),
        TTLRow("a negative role's maximum is none", role: limits(max: "-1h"), .grants("12h", .system, left: "24h")),
        TTLRow(
            "the mount's maximum lowers", mount: limits(max: "2h"),
            .grants("2h", .mount, left: "2h", ttlWarning("12h", "2h"))),
        TTLRow(
            "the mount's maximum replaces the system's even upwards", mount: limits(max: "48h"), asks: "30h",
            .grants("30h", .request, left: "48h")),
        TTLRow(
            "a role's maximum lowers what the mount has raised", mount: limits(max: "48h"), role: limits(max: "36h"),
            asks: "40h", .grants("36h", .role, left: "36h", ttlWarning("40h", "36h"))),
        TTLRow(
            "a mount's maximum of zero inherits", mount: limits(max: "0s"), asks: "30h",
            .grants("24h", .system, left: "24h", ttlWarning("30h", "24h"))),
        TTLRow(
            "an explicit maximum lowers", explicit: "3h",
            .grants("3h", .explicitMaximum, left: "3h", ttlWarning("12h", "3h"))),
        TTLRow(
            "an explicit maximum cannot raise", asks: "30h", explicit: "30h",
            .grants("24h", .system, left: "24h", ttlWarning("30h", "24h"))),
        TTLRow("an explicit maximum of zero is none", explicit: "0s", .grants("12h", .system, left: "24h")),
        TTLRow("a negative explicit maximum is none", explicit: "-1h", .grants("12h", .system, left: "24h")),
        TTLRow(
            "the role's maximum wins when it is the shorter", role: limits(max: "2h"), asks: "5h", explicit: "3h",
            .grants("2h", .role, left: "2h", ttlWarning("5h", "2h"))),
        TTLRow(
            "the explicit maximum wins when it is the shorter", role: limits(max: "3h"), asks: "5h", explicit: "2h",
            .grants("2h", .explicitMaximum, left: "2h", ttlWarning("5h", "2h"))),
        TTLRow(
            "of equal maximums the system's is named", role: limits(max: "24h"), asks: "30h", explicit: "24h",
            .grants("24h", .system, left: "24h", ttlWarning("30h", "24h"))),
        TTLRow(
            "of equal maximums the role's is named before the explicit one", role: limits(max: "6h"), asks: "7h",
            explicit: "6h", .grants("6h", .role, left: "6h", ttlWarning("7h", "6h"))),
    ])
    func maximum(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("a system maximum of zero is refused", system: limits("12h", max: "0s"), .refusal(.maximumNotPositive)),
        TTLRow("a negative one too", system: limits("12h", max: "-1h"), .refusal(.maximumNotPositive)),
        TTLRow("a missing one too", system: limits("12h"), .refusal(.maximumNotPositive)),
        TTLRow(
            "a role's maximum does not rescue it", system: limits("1h", max: "0s"), role: limits(max: "6h"),
            .refusal(.maximumNotPositive)),
        TTLRow(
            "an explicit maximum does not rescue it", system: limits("1h", max: "0s"), explicit: "6h",
            .refusal(.maximumNotPositive)),
        TTLRow(
            "a period does not rescue it", system: limits("1h", max: "0s"), period: "1h", explicit: "6h",
            .refusal(.maximumNotPositive)),
        TTLRow(
            "a mount's maximum does", system: limits("1h", max: "0s"), mount: limits(max: "6h"),
            .grants("1h", .system, left: "6h")),
        TTLRow(
            "a negative mount's maximum takes the system's place", mount: limits(max: "-1h"),
            .refusal(.maximumNotPositive)),
        TTLRow("a negative default passes", system: limits("-1h", max: "24h"), .grants("-1h", .system, left: "24h")),
        TTLRow("a default of zero passes", system: limits("0s", max: "24h"), .grants("0s", .system, left: "24h")),
        TTLRow("a missing default is zero", system: limits(max: "24h"), .grants("0s", .system, left: "24h")),
        TTLRow("a negative mount's default passes", mount: limits("-1h"), .grants("-1h", .mount, left: "24h")),
        TTLRow(
            "a negative default yields to an increment", system: limits("-1h", max: "24h"), asks: "1h",
            .grants("1h", .request, left: "24h")),
        TTLRow(
            "a negative default yields to a role's", system: limits("-1h", max: "24h"), role: limits("1h"),
            .grants("1h", .role, left: "24h")),
        TTLRow(
            "a negative default is refused past the maximum", system: limits("-1h", max: "24h"), issued: "-24h",
            .refusal(.pastMaximum)),
    ])
    func zeroAndNegative(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("an increment counts from now", asks: "2h", issued: "-1h", .grants("2h", .request, left: "23h")),
        TTLRow(
            "a default is cut to what is left", issued: "-23h",
            .grants("1h", .system, left: "1h", ttlWarning("12h", "1h"))),
        TTLRow("an exact fit at the end", asks: "30m", issued: "-23h30m", .grants("30m", .request, left: "30m")),
        TTLRow(
            "zero parts are dropped at the end of a text", asks: "1h", issued: "-23h1s",
            .grants("59m59s", .system, left: "59m59s", ttlWarning("1h", "59m59s"))),
        TTLRow(
            "zero parts are dropped within a text", asks: "2h", issued: "-22h59m59s",
            .grants("1h1s", .system, left: "1h1s", ttlWarning("2h", "1h1s"))),
        TTLRow(
            "the last second is granted", issued: "-23h59m59s",
            .grants("1s", .system, left: "1s", ttlWarning("12h", "1s"))),
        TTLRow("at the maximum it is refused", issued: "-24h", .refusal(.pastMaximum)),
        TTLRow("past the maximum it is refused", asks: "1s", issued: "-25h", .refusal(.pastMaximum)),
        TTLRow(
            "an explicit maximum counts from the issue", explicit: "3h", issued: "-2h",
            .grants("1h", .explicitMaximum, left: "1h", ttlWarning("12h", "1h"))),
        TTLRow(
            "a lowered maximum cuts at the renewal", role: limits(max: "6h"), issued: "-5h",
            .grants("1h", .role, left: "1h", ttlWarning("12h", "1h"))),
        TTLRow(
            "a maximum lowered below the age refuses", role: limits(max: "4h"), issued: "-5h",
            .refusal(.pastMaximum)),
        TTLRow(
            "a raised maximum helps at the renewal", mount: limits(max: "48h"), asks: "10h", issued: "-30h",
            .grants("10h", .request, left: "18h")),
        TTLRow("issued in the future: the maximum moves out", issued: "2h", .grants("12h", .system, left: "26h")),
        TTLRow(
            "issued in the future: 26 h under a maximum of 24 h", asks: "48h", issued: "2h",
            .grants("26h", .system, left: "26h", ttlWarning("48h", "26h"))),
        TTLRow("issued in the future: an exact fit", asks: "26h", issued: "2h", .grants("26h", .request, left: "26h")),
    ])
    func renewal(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow(
            "now is cut to the second", asks: "5s", issued: "-23h59m59s", now: "999ms",
            .grants("1s", .system, left: "1s", ends: "1s", ttlWarning("5s", "1s"))),
        TTLRow(
            "the issue time is cut to the second: refused with 999 ms left", issued: "-23h59m59.001s",
            .refusal(.pastMaximum)),
        TTLRow("refused in the second of the maximum", issued: "-24h", now: "999ms", .refusal(.pastMaximum)),
        TTLRow(
            "an issue time of now is cut as well", asks: "48h", now: "999ms",
            .grants("24h", .system, left: "24h", ends: "24h", ttlWarning("48h", "24h"))),
        TTLRow(
            "the end counts from the true now below the maximum", asks: "1h", now: "500ms",
            .grants("1h", .request, left: "24h", ends: "1h500ms")),
        TTLRow(
            "the end stops at the maximum", asks: "24h", issued: "0s", now: "500ms",
            .grants("24h", .request, left: "24h", ends: "24h")),
        TTLRow(
            "an age below a second is none", asks: "23h59m59.5s", issued: "1ms", now: "500ms",
            .grants("23h59m59.5s", .request, left: "24h", ends: "24h")),
    ])
    func partsOfASecond(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("a period is granted in full", role: limits(period: "1h"), .grants("1h", .period, left: nil)),
        TTLRow("a period of the request", period: "30m", .grants("30m", .period, left: nil)),
        TTLRow(
            "a period of the request replaces the role's", role: limits(period: "1h"), period: "2h",
            .grants("2h", .period, left: nil)),
        TTLRow(
            "a period of zero is none", role: limits(period: "1h"), period: "0s", .grants("1h", .period, left: nil)),
        TTLRow(
            "a negative period is none", role: limits(period: "-1h"), period: "-1h",
            .grants("12h", .system, left: "24h")),
        TTLRow(
            "a role's period replaces the mount's", mount: limits(period: "2h"), role: limits(period: "1h"),
            .grants("1h", .period, left: nil)),
        TTLRow("a mount may have one", mount: limits(period: "2h"), .grants("2h", .period, left: nil)),
        TTLRow(
            "the system may have one", system: limits("12h", max: "24h", period: "3h"),
            .grants("3h", .period, left: nil)),
        TTLRow(
            "a period takes no notice of an increment", role: limits(period: "1h"), asks: "5h",
            .grants("1h", .period, left: nil)),
        TTLRow(
            "a period takes no notice of a role's default", role: limits("5h", period: "1h"),
            .grants("1h", .period, left: nil)),
        TTLRow("a period is never rounded", period: "1500ms", .grants("1.5s", .period, left: nil)),
        TTLRow(
            "a periodic lease renews past every maximum", mount: limits(max: "12h"), role: limits(max: "6h"),
            period: "1h", issued: "-365d", .grants("1h", .period, left: nil)),
        TTLRow(
            "a period is cut to the system's maximum", period: "48h",
            .grants("24h", .system, left: nil, periodWarning("48h", "24h"))),
        TTLRow(
            "a period is cut so at any age", period: "48h", issued: "-365d",
            .grants("24h", .system, left: nil, periodWarning("48h", "24h"))),
        TTLRow(
            "a period is cut to the mount's maximum", mount: limits(max: "2h"), period: "3h",
            .grants("2h", .mount, left: nil, periodWarning("3h", "2h"))),
        TTLRow(
            "a period is cut to the role's maximum", role: limits(max: "2h", period: "3h"),
            .grants("2h", .role, left: nil, periodWarning("3h", "2h"))),
        TTLRow("a period as long as the maximum fits", period: "24h", .grants("24h", .period, left: nil)),
    ])
    func period(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("an explicit maximum limits the age", period: "1h", explicit: "3h", .grants("1h", .period, left: "3h")),
        TTLRow(
            "a period is cut to what is left", period: "1h", explicit: "3h", issued: "-2h30m",
            .grants("30m", .explicitMaximum, left: "30m", ttlWarning("1h", "30m"))),
        TTLRow(
            "an exact fit", period: "1h", explicit: "3h", issued: "-2h", .grants("1h", .period, left: "1h")),
        TTLRow("refused at the explicit maximum", period: "1h", explicit: "3h", issued: "-3h", .refusal(.pastMaximum)),
        TTLRow(
            "an explicit maximum beats a longer period", period: "5h", explicit: "3h",
            .grants("3h", .explicitMaximum, left: "3h", periodWarning("5h", "3h"))),
        TTLRow(
            "both warnings, the period's first", period: "48h", explicit: "3h", issued: "-1h",
            .grants("2h", .explicitMaximum, left: "2h", periodWarning("48h", "3h"), ttlWarning("3h", "2h"))),
        TTLRow(
            "both warnings of two different maximums", period: "48h", explicit: "36h", issued: "-20h",
            .grants("16h", .explicitMaximum, left: "16h", periodWarning("48h", "24h"), ttlWarning("24h", "16h"))),
        TTLRow(
            "the explicit maximum counts as given, past the system's", period: "1h", explicit: "48h", issued: "-30h",
            .grants("1h", .period, left: "18h")),
        TTLRow(
            "an explicit maximum of zero is no age limit", period: "1h", explicit: "0s", issued: "-365d",
            .grants("1h", .period, left: nil)),
        TTLRow(
            "a negative explicit maximum is no age limit", period: "1h", explicit: "-1h", issued: "-365d",
            .grants("1h", .period, left: nil)),
        TTLRow(
            "issued in the future: the explicit maximum moves out", period: "1h", explicit: "3h", issued: "2h",
            .grants("1h", .period, left: "5h")),
    ])
    func periodAndExplicitMaximum(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("a parent cuts", parent: "1h", .grants("1h", .parent, left: "24h")),
        TTLRow(
            "a parent that ends with the lease does not", asks: "1h", parent: "1h",
            .grants("1h", .request, left: "24h")),
        TTLRow("a parent that ends later does not", asks: "1h", parent: "2h", .grants("1h", .request, left: "24h")),
        TTLRow("a parent cuts a period", period: "2h", parent: "1h", .grants("1h", .parent, left: nil)),
        TTLRow(
            "a parent cuts what was cut before", asks: "48h", parent: "1h",
            .grants("1h", .parent, left: "24h", ttlWarning("48h", "24h"))),
        TTLRow(
            "a parent's end is not rounded", now: "500ms", parent: "10s",
            .grants("9.5s", .parent, left: "24h", ends: "10s")),
        TTLRow("a parent that ends now is refused", parent: "0s", .refusal(.parentEnded)),
        TTLRow("a parent that has ended is refused", asks: "1h", parent: "-1ns", .refusal(.parentEnded)),
        TTLRow("the maximum refuses before the parent", issued: "-24h", parent: "-1h", .refusal(.pastMaximum)),
    ])
    func parent(_ row: TTLRow) throws {
        try row.check(.vault)
    }

    @Test func errorsCarryVaultsTexts() {
        let now = TTLRow.epoch
        let unlimited = TTLPolicy(rules: .vault, system: limits("1h", max: "0s"))
        let noMaximum = #expect(throws: TTLError.self) { try unlimited.decide(TTLRequest(now: now)) }
        #expect(noMaximum?.vaultText == "max TTL must be greater than zero")

        let policy = TTLPolicy(rules: .vault)
        let old = TTLRequest(now: now, issuedAt: now - .seconds(2_764_800))
        let past = #expect(throws: TTLError.self) { try policy.decide(old) }
        #expect(past?.vaultText == "past the max TTL, cannot renew")
        #expect(past?.isRetryable == false)

        let ended = #expect(throws: TTLError.self) { try policy.decide(TTLRequest(now: now, parentEnd: now)) }
        #expect(ended != nil)
        #expect(ended?.vaultText == nil)
    }

    @Test func secondsBefore1970AreCutDownwardsToo() throws {
        let policy = TTLPolicy(rules: .vault, system: TTLRow.usualSystem)
        let now = LeaseInstant(nanosecondsSinceEpoch: -500_000_000)
        let decision = try policy.decide(TTLRequest(now: now, increment: .seconds(172_800)))
        #expect(decision.maximumAt == LeaseInstant(secondsSinceEpoch: 86_399))
        #expect(decision.ttl == .seconds(86_400))
    }

    @Test func systemDefaultIsThatOfVault() throws {
        let decision = try TTLPolicy(rules: .vault).decide(TTLRequest(now: TTLRow.epoch))
        #expect(LeaseDuration.vaultText(of: decision.ttl) == "768h")
        #expect(decision.leftToMaximum == decision.ttl)
    }
}
