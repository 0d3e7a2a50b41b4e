// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// How a scheduler stops.
@Suite struct SchedulerStopTests {
    @Test func stoppingTakesAsLongAsGivingBackDoes() throws {
        try ManagerFixture.run { fixture in
            var began = Duration.zero
            try await fixture.holding { holder in
                _ = try await holder.credential().get()
                #expect(fixture.target.liveCredentials.count == 1)
                began = holder.clock
            }
            #expect(fixture.target.liveCredentials.isEmpty)
            let took = fixture.time.read().continuous - began
            #expect(took < .seconds(1), "it waited for the end of its budget: \(took)")
        }
    }
}
