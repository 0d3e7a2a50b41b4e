// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a sweep found, and what became of it.
public struct SweepReport: Hashable, Sendable {
    /// How many credentials bear this deployment's mark.
    public internal(set) var examined: Int
    /// How many of them a lease names.
    public internal(set) var known: Int
    /// How many are too young, or of unknown age.
    public internal(set) var tooYoung: Int
    /// How many were made by another copy of this table.
    public internal(set) var foreignEpoch: Int
    /// How many orphans were found.
    ///
    /// Unless it was a dry run, each of them is in exactly one of the counts that follow.
    public internal(set) var orphans: Int
    /// How many of them were ended.
    public internal(set) var ended: Int
    /// How many were gone when it came to them.
    public internal(set) var alreadyGone: Int
    /// How many bore another mark when it came to them, and were left untouched.
    public internal(set) var notOurs: Int
    /// How many cannot be ended early and end by themselves.
    public internal(set) var ending: Int
    /// How many could not be ended this time.
    public internal(set) var failed: Int
    /// The marks of the orphans: at most a hundred.
    public internal(set) var found: [LeaseMark]

    /// Makes a report; sources do that.
    public init(
        examined: Int = 0,
        known: Int = 0,
        tooYoung: Int = 0,
        foreignEpoch: Int = 0,
        orphans: Int = 0,
        ended: Int = 0,
        alreadyGone: Int = 0,
        notOurs: Int = 0,
        ending: Int = 0,
        failed: Int = 0,
        found: [LeaseMark] = []
    ) {
        self.examined = examined
        self.known = known
        self.tooYoung = tooYoung
        self.foreignEpoch = foreignEpoch
        self.orphans = orphans
        self.ended = ended
        self.alreadyGone = alreadyGone
        self.notOurs = notOurs
        self.ending = ending
        self.failed = failed
        self.found = found
    }

    mutating func count(_ outcome: RevocationOutcome) {
        switch outcome.value {
        case .revoked: ended += 1
        case .alreadyGone, .settledGone: alreadyGone += 1
        case .notOurs: notOurs += 1
        case .ends: ending += 1
        }
    }
}
