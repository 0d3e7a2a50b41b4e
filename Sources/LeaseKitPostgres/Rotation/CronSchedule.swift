// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Points in time by the five fields of cron, in UTC: minute, hour, day of the month, month, day of the week.
///
/// A field is `*`, a number, a range such as `1-5`, a list such as `1,15`, each with a step such as `*/10` if wanted. Sunday is 0
/// and 7. When both fields for days are restricted, either may fit, as everywhere.
public struct CronSchedule: Hashable, Sendable, CustomStringConvertible {
    /// The five fields.
    public let description: String
    private let minutes: Set<Int>
    private let hours: Set<Int>
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    /// Whether a day has to fit in one of the fields only.
    private let isEither: Bool

    /// Why a text is no schedule.
    public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        /// A sentence that names the field.
        public let description: String
    }

    /// Reads five fields.
    ///
    /// One that never comes, such as the 30th of February, is refused.
    public init(_ text: String) throws(Malformed) {
        let fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 5 else {
            throw Malformed(description: "a schedule has five fields, and not \(fields.count)")
        }
        description = fields.joined(separator: " ")
        minutes = try Self.read(fields[0], 0...59, "minute")
        hours = try Self.read(fields[1], 0...23, "hour")
        days = try Self.read(fields[2], 1...31, "day of the month")
        months = try Self.read(fields[3], 1...12, "month")
        weekdays = Set(try Self.read(fields[4], 0...7, "day of the week").map { $0 % 7 })
        isEither = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        if next(afterMinute: 0) == nil { throw Malformed(description: "there is no such day") }
    }

    private static func read(_ field: String, _ bounds: ClosedRange<Int>, _ name: String) throws(Malformed) -> Set<Int>
    {
        var values: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
            let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false).map { number($0) }
            let step = pieces.count == 2 ? number(pieces[1]) : 1
            var range: ClosedRange<Int>?
            if pieces[0] == "*" {
                range = bounds
            } else if ends.count == 1, let only = ends[0] {
                range = pieces.count == 2 ? (only <= bounds.upperBound ? only...bounds.upperBound : nil) : only...only
            } else if ends.count == 2, let first = ends[0], let last = ends[1], first <= last {
                range = first...last
            }
            guard pieces.count <= 2, let range, let step, step > 0, bounds.contains(range.lowerBound),
                bounds.contains(range.upperBound)
            else { throw Malformed(description: "the field of the \(name) cannot be read: \(part)") }
            values.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: step))
        }
        return values
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } && text.utf8.count <= 4 ? Int(text) : nil
    }

    /// The first point after an instant.
    public func next(after instant: LeaseInstant) -> LeaseInstant {
        let minute = instant.nanosecondsSinceEpoch.floored(by: 60_000_000_000)
        // There is one, or the schedule had been refused.
        guard let next = next(afterMinute: minute) else { return .distantFuture }
        let (nanoseconds, overflow) = next.multipliedReportingOverflow(by: 60_000_000_000)
        return overflow ? .distantFuture : LeaseInstant(nanosecondsSinceEpoch: nanoseconds)
    }

    /// The first minute since 1970 after one; nil if none comes within nine years, which is longer than a 29th of February takes.
    private func next(afterMinute minute: Int64) -> Int64? {
        var day = (minute + 1).floored(by: 1_440)
        var first = Int((minute + 1) - day * 1_440)
        for _ in 0..<(9 * 366) {
            if fits(day: day) {
                for hour in hours.sorted() where hour * 60 + 59 >= first {
                    for minute in minutes.sorted() where hour * 60 + minute >= first {
                        return day * 1_440 + Int64(hour * 60 + minute)
                    }
                }
            }
            day += 1
            first = 0
        }
        return nil
    }

    private func fits(day: Int64) -> Bool {
        let (month, dayOfMonth) = Self.civil(day)
        guard months.contains(month) else { return false }
        // The first of January 1970 was a Thursday.
        let weekday = Int(((day + 4) % 7 + 7) % 7)
        let fits = (days.contains(dayOfMonth), weekdays.contains(weekday))
        return isEither ? fits.0 || fits.1 : fits.0 && fits.1
    }

    /// Month and day of a day since 1970, in the Gregorian calendar with years that begin in March.
    private static func civil(_ day: Int64) -> (month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted.floored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (Int(month < 10 ? month + 3 : month - 9), Int(dayOfYear - (153 * month + 2) / 5 + 1))
    }
}

extension Int64 {
    /// Divides, and rounds towards the past.
    fileprivate func floored(by divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
