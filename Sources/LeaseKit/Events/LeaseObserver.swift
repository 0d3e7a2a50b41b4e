// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The synchronous seam for logs, metrics and audit.
///
/// Called on the task that did the work, after it was done and outside every lock. It must not wait: whatever it needs to
/// send somewhere, it hands on.
public protocol LeaseObserver: Sendable {
    /// Something happened.
    func observe(_ event: LeaseEvent)
}
