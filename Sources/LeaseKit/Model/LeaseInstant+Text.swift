// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseInstant: CustomStringConvertible {
    /// The instant as an ISO 8601 text in UTC, such as `2026-08-21T10:00:00.25Z`.
    ///
    /// The fraction has as many digits as it needs and is left out when it is zero. The two ends of time print as
    /// `distant past` and `distant future`, since a date there would look like one that somebody chose.
    public var description: String {
        if self == .distantPast { return "distant past" }
        if self == .distantFuture { return "distant future" }
        let (seconds, nanoseconds) = Self.floorDivision(nanosecondsSinceEpoch, by: 1_000_000_000)
        let (dayNumber, secondOfDay) = Self.floorDivision(seconds, by: 86_400)
        let date = Self.calendarDate(daysSinceEpoch: dayNumber)
        let day = "\(Self.padded(date.year, to: 4))-\(Self.padded(date.month, to: 2))-\(Self.padded(date.day, to: 2))"
        let hour = Self.padded(secondOfDay / 3_600, to: 2)
        let minute = Self.padded(secondOfDay / 60 % 60, to: 2)
        let second = Self.padded(secondOfDay % 60, to: 2)
        return "\(day)T\(hour):\(minute):\(second)\(Self.fraction(nanoseconds))Z"
    }

    /// The days of 400 years of the Gregorian calendar, and of the 100, 4 and 1 years that make them up.
    private static let days: (cycle: Int64, century: Int64, four: Int64, year: Int64) = (146_097, 36_524, 1_461, 365)

    /// Turns a day number into a date of the Gregorian calendar.
    ///
    /// Counts from 1 March of year 0, so that a leap day is the last day of its year and every month but the last
    /// starts at a fixed distance.
    private static func calendarDate(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let daysFromMarchOfYearZeroToEpoch: Int64 = 719_468
        let start = daysSinceEpoch + daysFromMarchOfYearZeroToEpoch
        let (cycles, dayOfCycle) = floorDivision(start, by: days.cycle)
        var rest = dayOfCycle

        // The last century of a cycle and the last year of four are a day longer: they must not spill into a next one.
        let centuries = min(rest / days.century, 3)
        rest -= centuries * days.century
        let fours = rest / days.four
        rest -= fours * days.four
        let years = min(rest / days.year, 3)
        rest -= years * days.year

        var month: Int64 = 3
        for length in [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31] as [Int64] {
            if rest < length { break }
            rest -= length
            month += 1
        }
        let year = cycles * 400 + centuries * 100 + fours * 4 + years
        // January and February end the year that began in March.
        return month <= 12 ? (year, month, rest + 1) : (year + 1, month - 12, rest + 1)
    }

    /// Divides so that the remainder is never negative.
    private static func floorDivision(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func fraction(_ nanoseconds: Int64) -> String {
        guard nanoseconds > 0 else { return "" }
        var digits = padded(nanoseconds, to: 9)
        while digits.last == "0" { digits.removeLast() }
        return "." + digits
    }
}
