// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How long temporary credentials are asked to run: the bounds of AWS, checked before it is asked.
struct STSDuration {
    /// The least of every kind.
    static let floor = 900
    /// The most of AssumeRole; a role has its own maximum below it, an hour unless somebody raised it.
    static let longestRole = 43_200
    /// The most of AssumeRole with a role's credentials.
    static let longestChained = 3_600
    /// The most of the other two kinds.
    static let longestToken = 129_600

    let kind: STSRole.Kind
    let isChained: Bool
    let bounds: STSRole.Bounds

    var ceiling: Int {
        if kind != .assumedRole { return Self.longestToken }
        return isChained ? Self.longestChained : Self.longestRole
    }

    /// The seconds to ask for, so that the credentials last as long as the lease.
    func seconds(for timeLeft: Duration) throws(AWSError) -> Int {
        let (whole, rest) = timeLeft.components
        let wanted = Int(min(whole, 1 << 40)) + (rest > 0 ? 1 : 0)
        if (Self.floor...ceiling).contains(wanted) { return wanted }
        if bounds == .clamp { return min(max(wanted, Self.floor), ceiling) }
        if wanted < Self.floor {
            throw AWSError(
                .outOfBounds,
                "STS makes nothing that runs for less than \(Self.floor) s, and \(wanted) s were asked for: "
                    + "ask for more, or set the role's bounds to clamp"
            )
        }
        let reason =
            isChained && kind == .assumedRole
            ? "a role that is assumed with a role's credentials (chaining) runs for at most \(ceiling) s"
            : "\(kind) runs for at most \(ceiling) s"
        let fix =
            isChained && kind == .assumedRole
            ? "use a user's key, or lower the role's maximum" : "lower the role's maximum"
        throw AWSError(.outOfBounds, "\(reason), and \(wanted) s were asked for: \(fix), or set its bounds to clamp")
    }
}
