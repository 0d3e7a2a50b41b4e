// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseInstant {
    /// The second that the instant lies in.
    var wholeSecondsSinceEpoch: Int64 {
        let (seconds, rest) = nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }

    /// Reads what services write into their answers: `2026-11-21T08:00:00Z`, with or without a fraction, also with an offset
    /// such as `+00:00` for the `Z`.
    init?(iso8601 text: String) {
        guard let middle = text.firstIndex(of: "T"),
            let end = text[middle...].firstIndex(where: { "Z+-".contains($0) }),
            let offset = Self.offset(text[end...])
        else { return nil }
        let date = text[..<middle].split(separator: "-", omittingEmptySubsequences: false)
        let time = text[text.index(after: middle)..<end].split(separator: ":", omittingEmptySubsequences: false)
        guard date.count == 3, time.count == 3, let year = Int64(date[0]), let month = Int64(date[1]),
            let day = Int64(date[2]), let hour = Int64(time[0]), let minute = Int64(time[1]),
            let second = Double(time[2]), (1...9_999).contains(year), (1...12).contains(month),
            (1...31).contains(day), (0..<24).contains(hour), (0..<60).contains(minute), second >= 0, second < 61
        else { return nil }
        let seconds = Self.days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 - offset
        self = LeaseInstant(secondsSinceEpoch: seconds) + .milliseconds(Int64(second * 1_000))
    }

    /// The seconds of `Z`, `+02:00` or `+0200`.
    private static func offset(_ text: Substring) -> Int64? {
        if text == "Z" { return 0 }
        let digits = text.dropFirst().filter { $0 != ":" }
        guard digits.count == 4, digits.allSatisfy(\.isNumber), let hours = Int64(digits.prefix(2)),
            let minutes = Int64(digits.suffix(2)), hours < 24, minutes < 60
        else { return nil }
        return (text.first == "-" ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    /// Reads the `Date` of an HTTP answer: `Sat, 21 Nov 2026 08:00:00 GMT`.
    init?(httpDate text: String) {
        let parts = text.split(whereSeparator: { " ,:".contains($0) })
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 8, parts[7] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
            (1_970...9_999).contains(year), let hour = Int64(parts[4]), let minute = Int64(parts[5]),
            let second = Int64(parts[6]), (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        let days = Self.days(year, Int64(month) + 1, day)
        self.init(secondsSinceEpoch: days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// Days from 1970 to a date of the Gregorian calendar; years begin in March, so that a leap day is the last one.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let monthFromMarch = (month + 9) % 12
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * monthFromMarch + 2) / 5 + day - 1 - 719_468
    }
}
