// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a renewal granted.
public struct RenewalOutcome: Sendable, Hashable {
    /// When the lease ends now.
    public let expiresAt: LeaseInstant
    /// The same by the continuous clock of the source.
    public let validUntil: Duration
    /// How long it runs from now.
    public let granted: Duration
    /// What was asked for, if anything.
    public let asked: Duration?
    /// What decided how long.
    public let boundBy: TTLBound
    /// How much it can still be extended to at most, counted from now; nil without an age limit.
    public let leftToMaximum: Duration?
    /// What the calculation had to say.
    public let warnings: [TTLWarning]
    /// When the source would like the next renewal, if it has a wish.
    public let window: RenewalWindow?

    /// Makes an outcome; sources do that.
    public init(
        expiresAt: LeaseInstant,
        validUntil: Duration,
        granted: Duration,
        asked: Duration?,
        boundBy: TTLBound,
        leftToMaximum: Duration?,
        warnings: [TTLWarning],
        window: RenewalWindow? = nil
    ) {
        self.expiresAt = expiresAt
        self.validUntil = validUntil
        self.granted = granted
        self.asked = asked
        self.boundBy = boundBy
        self.leftToMaximum = leftToMaximum
        self.warnings = warnings
        self.window = window
    }

    /// Whether less was granted than asked for: the time to think of a replacement.
    public var isTruncated: Bool { asked.map { granted < $0 } ?? false }
    /// Whether the lease already ends at its maximum, so that no renewal will move it.
    public var isAtMaximum: Bool { leftToMaximum.map { granted >= $0 } ?? false }
}
