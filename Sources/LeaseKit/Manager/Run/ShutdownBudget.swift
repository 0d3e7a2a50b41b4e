// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How the time of a shutdown is divided.
///
/// Pure.
struct ShutdownBudget: Sendable, Equatable {
    /// Until when calls in flight are waited for before everything is revoked, over a volatile store.
    let demandsEnd: Duration
    /// Until when everything that runs may go on.
    let workEnd: Duration
    /// When `run()` returns at the latest.
    let end: Duration

    /// The last tenth, and a second at most, is kept for the store: to ask what is left, and to close it.
    init(from start: Duration, _ budget: Duration) {
        demandsEnd = start + budget / 2
        workEnd = start + budget - min(.seconds(1), budget / 10)
        end = start + budget
    }
}
