// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite struct PlaceholderTests {
    @Test func arithmeticSaturates() {
        #expect(LeaseInstant.distantFuture + .seconds(1) == .distantFuture)
    }
}
