// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A user of the database whose password LeaseKit changes from time to time.
///
/// The role is there already, and stays.
public struct StaticUser: Hashable, Sendable {
    /// The role's name.
    public var role: String
    /// When its password is changed.
    public var schedule: RotationSchedule
    /// What its passwords look like.
    public var policy: PasswordPolicy
    /// Those of the verifiers.
    public var iterations: Int

    /// Makes one.
    public init(
        role: String,
        schedule: RotationSchedule,
        policy: PasswordPolicy = PasswordPolicy(),
        iterations: Int = SCRAMVerifier.defaultIterations
    ) {
        self.role = role
        self.schedule = schedule
        self.policy = policy
        self.iterations = iterations
    }
}
