// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A promise of LeaseKit that a simulated run saw broken.
public struct InvariantViolation: Sendable, CustomStringConvertible {
    /// The number of the invariant; 0 for the contract of a call.
    public let invariant: Int
    /// The lease, if it is about one.
    public let lease: LeaseID?
    /// What was seen.
    public let message: String
    /// What happened to the lease before, oldest first.
    public let trail: [String]

    /// The number, the lease, the message, and the trail below it.
    public var description: String {
        let subject = lease.map { " (lease \($0))" } ?? ""
        let trail = trail.map { "\n      \($0)" }.joined()
        return "invariant \(invariant)\(subject): \(message)\(trail)"
    }
}
