// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// One credential at an ``InMemoryTarget``: a user with a password, whose it is, and when it ends by itself.
public struct TargetPrincipal: Sendable {
    /// The user's name.
    public let name: String
    /// The target's own number for it, which only the target can know.
    public let number: UInt64
    /// Whose it is; nil for somebody that LeaseKit did not make.
    public let mark: LeaseMark?
    /// The role that it was made from.
    public let role: String
    /// When it was made, by the target's clock.
    public let madeAt: LeaseInstant
    /// When it ends by itself, by the target's clock; nil for never.
    public internal(set) var endsAt: LeaseInstant?
    /// The fingerprint of the target that holds it.
    public let target: String
    var password: String
    let madeAfter: Duration

    func isLive(at wall: LeaseInstant) -> Bool { endsAt.map { wall < $0 } ?? true }
}

extension TargetPrincipal: CustomStringConvertible, CustomReflectable {
    /// The name and the number; never the password.
    public var description: String { "\(name)#\(number)" }
    /// Everything but the password.
    public var customMirror: Mirror {
        Mirror(self, children: ["name": name, "number": number, "mark": mark as Any, "endsAt": endsAt as Any])
    }
}
