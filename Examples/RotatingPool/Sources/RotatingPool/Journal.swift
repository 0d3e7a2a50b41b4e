// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Synchronization

/// Counts what the scheduler tells.
final class Journal: LeaseObserver {
    private let counts = Mutex<[LeaseEvent.Kind: Int]>([:])

    func observe(_ event: LeaseEvent) { counts.withLock { $0[event.kind, default: 0] += 1 } }

    func count(_ kind: LeaseEvent.Kind) -> Int { counts.withLock { $0[kind] ?? 0 } }
}
