// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A role of an ``InMemoryBackend``.
public struct InMemoryRole: Hashable, Sendable {
    /// Its limits.
    public var limits: TTLLimits
    /// Its version, handed back when a credential is ended.
    public var version: [UInt8]
    /// The longest that the target lets a credential live, whatever was asked; nil for no such limit.
    public var longestLife: Duration?

    /// Makes a role.
    public init(limits: TTLLimits = TTLLimits(), version: [UInt8] = [], longestLife: Duration? = nil) {
        self.limits = limits
        self.version = version
        self.longestLife = longestLife
    }
}
