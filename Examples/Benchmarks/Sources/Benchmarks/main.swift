// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

var instant = LeaseInstant(secondsSinceEpoch: 0)
let rounds = 1_000_000
let elapsed = ContinuousClock().measure {
    for _ in 0..<rounds { instant = instant + .nanoseconds(1) }
}
print("\(rounds) additions to an instant: \(elapsed) (\(instant.nanosecondsSinceEpoch) ns)")
