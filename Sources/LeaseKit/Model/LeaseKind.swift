// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a lease holds.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseKind: UInt8, Hashable, Sendable, CaseIterable {
    /// A credential at a target.
    case credential = 0
    /// Nothing by itself: a root to hang other leases on (a token, a job, a login).
    case session = 1
    /// A hint when to read something again; nothing has to be ended.
    case informational = 2
}
