// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres
import Testing

@Suite struct CronScheduleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let schedule: String
        let after: String
        let next: String
        var testDescription: String { "\(schedule) after \(after)" }
    }

    static let table = [
        Row(schedule: "* * * * *", after: "2026-01-01T00:00:00Z", next: "2026-01-01T00:01:00Z"),
        Row(schedule: "* * * * *", after: "2026-01-01T00:00:59Z", next: "2026-01-01T00:01:00Z"),
        Row(schedule: "0 3 * * *", after: "2026-03-29T02:59:59Z", next: "2026-03-29T03:00:00Z"),
        Row(schedule: "0 3 * * *", after: "2026-03-29T03:00:00Z", next: "2026-03-30T03:00:00Z"),
        Row(schedule: "*/15 * * * *", after: "2026-01-01T10:44:10Z", next: "2026-01-01T10:45:00Z"),
        Row(schedule: "5/20 * * * *", after: "2026-01-01T10:45:00Z", next: "2026-01-01T11:05:00Z"),
        Row(schedule: "59 23 31 12 *", after: "2026-01-01T00:00:00Z", next: "2026-12-31T23:59:00Z"),
        Row(schedule: "0 0 29 2 *", after: "2026-01-01T00:00:00Z", next: "2028-02-29T00:00:00Z"),
        Row(schedule: "0 0 29 2 *", after: "2096-03-01T00:00:00Z", next: "2104-02-29T00:00:00Z"),
        // Sunday is 0 and 7; the first of January 2026 is a Thursday.
        Row(schedule: "0 0 * * 0", after: "2026-01-01T00:00:00Z", next: "2026-01-04T00:00:00Z"),
        Row(schedule: "0 0 * * 7", after: "2026-01-01T00:00:00Z", next: "2026-01-04T00:00:00Z"),
        Row(schedule: "30 8 * * 1-5", after: "2026-01-02T08:30:00Z", next: "2026-01-05T08:30:00Z"),
        // Either field of days, when both are restricted; both, when one is not.
        Row(schedule: "0 0 13 * 5", after: "2026-01-01T00:00:00Z", next: "2026-01-02T00:00:00Z"),
        Row(schedule: "0 0 13 * 5", after: "2026-01-09T00:00:00Z", next: "2026-01-13T00:00:00Z"),
        Row(schedule: "0 0 */2 * 5", after: "2026-01-01T00:00:00Z", next: "2026-01-09T00:00:00Z"),
        Row(schedule: "1,3 0,12 1 1,7 *", after: "2026-01-01T00:03:00Z", next: "2026-01-01T12:01:00Z"),
        Row(schedule: "0 0 1 1 *", after: "1969-12-31T23:59:59Z", next: "1970-01-01T00:00:00Z"),
    ]

    @Test(arguments: table) func comesNext(row: Row) throws {
        let schedule = try CronSchedule(row.schedule)
        #expect(schedule.next(after: try instant(row.after)) == (try instant(row.next)))
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 8",
        "5-1 * * * *", "*/0 * * * *", "a * * * *", "1- * * * *", ", * * * *", "1/2/3 * * * *", "-1 * * * *",
        "٣ * * * *",
        "0 0 30 2 *", "0 0 31 4,6,9,11 *", "99999999999999999999 * * * *", "90/5 * * * *",
    ])
    func isRefused(text: String) {
        #expect(throws: CronSchedule.Malformed.self) { try CronSchedule(text) }
    }

    /// Counts minute by minute, with the system's calendar.
    @Test func agreesWithTheCalendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        let schedule = try CronSchedule("7 5 28-31 * 3")
        var at = try instant("2023-12-30T00:00:00Z")
        for _ in 0..<400 {
            let next = schedule.next(after: at)
            let date = Date(timeIntervalSince1970: Double(next.nanosecondsSinceEpoch / 1_000_000_000))
            let parts = calendar.dateComponents([.minute, .hour, .day, .weekday], from: date)
            #expect(parts.minute == 7 && parts.hour == 5)
            #expect((28...31).contains(parts.day ?? 0) || parts.weekday == 4)
            // None was left out: the days between fit in neither field.
            var day = date.addingTimeInterval(-86_400)
            while day.timeIntervalSince1970 > Double(at.nanosecondsSinceEpoch / 1_000_000_000) {
                let between = calendar.dateComponents([.day, .weekday], from: day)
                #expect((between.day ?? 0) < 28 && between.weekday != 4)
                day = day.addingTimeInterval(-86_400)
            }
            at = next
        }
    }

    @Test func theEndsOfTimeAreNoTrap() throws {
        let schedule = try CronSchedule("0 0 29 2 *")
        #expect(schedule.next(after: .distantFuture) == .distantFuture)
        #expect(schedule.next(after: .distantPast) > .distantPast)
        #expect(RotationSchedule.every(.seconds(60)).next(after: .distantFuture) == .distantFuture)
    }

    @Test func aPeriodIsAMinuteAtLeast() throws {
        let start = try instant("2026-01-01T00:00:00Z")
        #expect(RotationSchedule.every(.seconds(1)).next(after: start) == start + .seconds(60))
        #expect(RotationSchedule.every(.seconds(86_400)).next(after: start) == start + .seconds(86_400))
        let cron = RotationSchedule.at(try CronSchedule("0 12 * * *"))
        #expect(cron.next(after: start) == start + .seconds(43_200))
    }

    private func instant(_ text: String) throws -> LeaseInstant {
        let date = try Date(text, strategy: .iso8601)
        return LeaseInstant(secondsSinceEpoch: Int64(date.timeIntervalSince1970))
    }
}
