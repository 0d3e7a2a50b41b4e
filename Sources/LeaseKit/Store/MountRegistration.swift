// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A mount as its store remembers it.
public struct MountRegistration: Hashable, Sendable {
    /// Its durable number.
    public var id: MountID
    /// Where it is.
    public var path: String
    /// What kind of backend made its leases.
    public var kind: String
    /// Which target they are at, once one was adopted.
    public var fingerprint: String?

    /// Makes a registration.
    public init(id: MountID, path: String, kind: String, fingerprint: String? = nil) {
        self.id = id
        self.path = path
        self.kind = kind
        self.fingerprint = fingerprint
    }
}

/// A small piece of state that a mount keeps in the store.
public struct MountState: Hashable, Sendable {
    /// Counts the writes.
    public var version: UInt64
    /// What was written.
    public var bytes: [UInt8]
    /// When somebody should look at it.
    public var due: LeaseInstant?

    /// Makes a state.
    public init(version: UInt64, bytes: [UInt8], due: LeaseInstant? = nil) {
        self.version = version
        self.bytes = bytes
        self.due = due
    }
}
