// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The durable number of a mount in its store.
///
/// A path can be unmounted and mounted again with something else; the number then differs, so that old leases are never
/// handed to a backend that did not make them.
public struct MountID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number, as the store gave it.
    public let rawValue: UInt32

    /// Makes an id from its number, as a store reads it back.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Orders mounts by age.
    public static func < (lhs: MountID, rhs: MountID) -> Bool { lhs.rawValue < rhs.rawValue }

    /// The number as text.
    public var description: String { "mount \(rawValue)" }
}
