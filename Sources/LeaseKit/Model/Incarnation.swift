// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Which start of a manager on a store: 1 for the first one, growing by one at each opening.
///
/// Pending leases and claims carry it. On a store with one owner, everything that an earlier incarnation had in its
/// hands is free again as soon as a later one opens the store.
public struct Incarnation: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The number, as the store gave it.
    public let rawValue: UInt32

    /// Makes an incarnation from its number, as a store reads it back.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Orders incarnations by age.
    public static func < (lhs: Incarnation, rhs: Incarnation) -> Bool { lhs.rawValue < rhs.rawValue }

    /// The number as text.
    public var description: String { "incarnation \(rawValue)" }
}
