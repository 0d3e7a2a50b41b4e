// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension SQLiteLeaseStore {
    /// How the store keeps its file.
    public struct Options: Hashable, Sendable {
        /// What a power cut may cost.
        public var durability: Durability
        /// How much of the file is kept in memory, in KiB.
        public var cacheKibibytes: Int
        /// Whether calls run in place, one at a time, instead of on a thread of the store's own.
        ///
        /// For tests in virtual time, whose executor has to see every step. It blocks the callers' threads while the disk works, and
        /// callers share no syncs.
        public var runsInPlace: Bool
        package var leftovers = Leftovers.Limits()

        /// Makes options.
        public init(durability: Durability = .full, cacheKibibytes: Int = 32_768, runsInPlace: Bool = false) {
            self.durability = durability
            self.cacheKibibytes = cacheKibibytes
            self.runsInPlace = runsInPlace
        }
    }

    /// What a power cut may cost.
    ///
    /// A process that is killed loses nothing in either mode: what it wrote is the system's by then.
    public enum Durability: Hashable, Sendable {
        /// Nothing: every answer waits until what it tells of is on the disk.
        case full
        /// The last commits before a power cut or a crash of the system.
        ///
        /// **A credential that was made just before it may then have no lease and live for ever.** The database itself stays sound.
        /// Where its epoch file had got further to the disk than the database, that shows, and the next start is in hold-off; where it
        /// had not, nothing does, and what was renewed just before is ended by its earlier time. For targets that end their
        /// credentials themselves, and for tests.
        case mayForgetLatestInPowerCut
    }
}
