// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Names what determined the time that was granted.
///
/// A layer can determine it twice over: by its default, when nothing was asked for, or by its maximum.
/// ``TTLDecision/isCapped`` tells the two apart.
public struct TTLBound: Hashable, Sendable, CustomStringConvertible {
    private enum Raw {
        case request, role, mount, system, explicitMaximum, parent, period
    }

    private let raw: Raw

    /// What was asked for, granted in full.
    public static let request = TTLBound(raw: .request)
    /// The role's default or its maximum.
    public static let role = TTLBound(raw: .role)
    /// The mount's default or its maximum.
    public static let mount = TTLBound(raw: .mount)
    /// The system's default or its maximum.
    public static let system = TTLBound(raw: .system)
    /// The maximum set for this one lease.
    public static let explicitMaximum = TTLBound(raw: .explicitMaximum)
    /// The end of the parent that binds the lease.
    public static let parent = TTLBound(raw: .parent)
    /// The period of a periodic lease, granted in full.
    public static let period = TTLBound(raw: .period)

    /// The bound in words, such as `role` or `explicit maximum`.
    public var description: String {
        switch raw {
        case .request: "request"
        case .role: "role"
        case .mount: "mount"
        case .system: "system"
        case .explicitMaximum: "explicit maximum"
        case .parent: "parent"
        case .period: "period"
        }
    }
}
