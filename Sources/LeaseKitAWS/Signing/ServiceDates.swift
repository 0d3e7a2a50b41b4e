// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseInstant {
    /// The second that the instant lies in.
    var wholeSecondsSinceEpoch: Int64 {
        let (seconds, rest) = nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }

    /// Reads what services write into their answers: `2026-11-21T08:00:00Z`, with or without a fraction.
    init?(iso8601 text: String) {
        let parts = text.split(whereSeparator: { "-T:Z".contains($0) })
        guard parts.count == 6, text.hasSuffix("Z"), let year = Int64(parts[0]), let month = Int64(parts[1]),
            let day = Int64(parts[2]), let hour = Int64(parts[3]), let minute = Int64(parts[4]),
            let second = Double(parts[5]), (1...12).contains(month), (1...31).contains(day), (0..<24).contains(hour),
            (0..<60).contains(minute), second >= 0, second < 61
        else { return nil }
        let seconds = Self.days(year, month, day) * 86_400 + hour * 3_600 + minute * 60
        self = LeaseInstant(secondsSinceEpoch: seconds) + .milliseconds(Int64(second * 1_000))
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
