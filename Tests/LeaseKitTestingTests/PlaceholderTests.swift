// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// Holds the place of the simulation, so that the release stage of `Tests/run` has something to run.
@Suite struct SimulationPlaceholderTests {
    @Test func packageAccessWorksInEveryConfiguration() {
        #expect(Duration.seconds(2).saturatingNanoseconds == 2_000_000_000)
    }
}
