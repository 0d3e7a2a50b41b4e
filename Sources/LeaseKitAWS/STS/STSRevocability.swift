// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Whether sessions of a role can be ended before their time, and what stands in the way.
public struct STSRevocability: Hashable, Sendable, CustomStringConvertible {
    /// The role at AWS.
    public let roleARN: String
    /// What stands in the way, and what to do about it; nil when nothing does.
    public let obstacle: String?

    /// Whether nothing stands in the way.
    public var isAvailable: Bool { obstacle == nil }

    /// The role, and what stands in the way.
    public var description: String { "\(roleARN): \(obstacle ?? "available")" }
}
