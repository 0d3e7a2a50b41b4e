// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What outages cost under the real scheduler: the small edition of the table that the benchmarks print.
@Suite struct OutageTableTests {
    @Test(arguments: [
        // minutes of outage, the most that may be lost
        (1, 0.0), (10, 0.0), (15, 0.0), (20, 0.03), (30, 0.26),
    ])
    func leasesOfAnHourOutliveAnOutage(row: (Int, Double)) throws {
        let result = try OutageStudy(outage: .seconds(60 * row.0), trials: 200).run()
        #expect(result.lost <= row.1)
        #expect(result.meanAttempts <= 16)
        #expect(result.mostAttempts <= 50)
        // A study in which nothing fails shows nothing.
        #expect(result.mostAttempts >= 1)
    }

    @Test func aPolicyThatRenewsLateLosesMore() throws {
        let late = RenewalPolicy(renewAt: 0.95, jitter: 0)
        let result = try OutageStudy(outage: .seconds(600), trials: 200, policy: late).run()
        #expect(result.lost > 0.05)
    }
}
