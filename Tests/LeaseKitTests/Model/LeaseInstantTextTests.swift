// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import Testing

@Suite struct LeaseInstantTextTests {
    // Several rows share a line, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"), (250_000_000, "1970-01-01T00:00:00.25Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00Z"), (951_868_800_000_000_000, "2000-03-01T00:00:00Z"),
        (1_709_164_800_000_000_000, "2024-02-29T00:00:00Z"), (1_800_000_000_000_000_000, "2027-01-15T08:00:00Z"),
        (1_830_297_599_000_000_000, "2027-12-31T23:59:59Z"), (.max, "distant future"), (.min, "distant past"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00Z"), (4_107_542_399_000_000_000, "2100-02-28T23:59:59Z"),
    ] as [(Int64, String)])
    func writesTheInstantInUTC(_ nanoseconds: Int64, _ text: String) {
        #expect(LeaseInstant(nanosecondsSinceEpoch: nanoseconds).description == text)
    }

    @Test func everyDayAgreesWithFoundationsCalendar() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        // 1678 to 2261: all whole years that an instant can hold.
        for day in stride(from: Int64(-106_650), to: 106_600, by: 7) {
            let seconds = day * 86_400 + 45_296
            let date = Date(timeIntervalSince1970: TimeInterval(seconds))
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let text = [try #require(parts.year), try #require(parts.month), try #require(parts.day)]
                .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: "-")
            try #require(LeaseInstant(secondsSinceEpoch: seconds).description == "\(text)T12:34:56Z")
        }
    }
}
