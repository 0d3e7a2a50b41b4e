// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension SecretKeeperError {
    /// The kinds of trouble.
    ///
    /// After each of them but ``unknownOutcome``, nothing was done.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case invalidName, invalidSecret, versionChanged, alreadyStaged, keeperFull
            case invalidKey, wrongKey, wrongKeeper, keyExhausted
            case tampered, rolledBack, futureVersion, missing
            case permissionsTooOpen, notRegularFile, locked
            case diskFull, unavailable, unknownOutcome, closed
        }

        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// A name is empty, too long, or has characters that no keeper takes.
        public static let invalidName = Code(.invalidName)
        /// A secret is empty or too long.
        public static let invalidSecret = Code(.invalidSecret)
        /// Another version is kept than the one that the call is about.
        public static let versionChanged = Code(.versionChanged)
        /// Another change of this secret is on its way: commit or discard it first.
        public static let alreadyStaged = Code(.alreadyStaged)
        /// The keeper holds as much as it can.
        public static let keeperFull = Code(.keeperFull)
        /// The key is not one that may be used.
        public static let invalidKey = Code(.invalidKey)
        /// The keeper was written under another key.
        public static let wrongKey = Code(.wrongKey)
        /// It is another keeper than the one that was asked for.
        public static let wrongKeeper = Code(.wrongKeeper)
        /// The key has sealed as much as it safely can: time for another one.
        public static let keyExhausted = Code(.keyExhausted)
        /// It is damaged, cut off, or was changed by somebody without the key.
        public static let tampered = Code(.tampered)
        /// It is an older copy of what was there before.
        public static let rolledBack = Code(.rolledBack)
        /// A newer LeaseKit wrote it.
        public static let futureVersion = Code(.futureVersion)
        /// There is nothing, and nothing may be created.
        public static let missing = Code(.missing)
        /// Others can read it, or change it, or own it.
        public static let permissionsTooOpen = Code(.permissionsTooOpen)
        /// It is a symbolic link, a folder or a device.
        public static let notRegularFile = Code(.notRegularFile)
        /// Another keeper, of this process or another one, has it open.
        public static let locked = Code(.locked)
        /// There is no room to write it.
        public static let diskFull = Code(.diskFull)
        /// It cannot be reached at the moment.
        public static let unavailable = Code(.unavailable)
        /// The answer was lost: it may have been done.
        ///
        /// Ask with `load`, or make the same call again.
        public static let unknownOutcome = Code(.unknownOutcome)
        /// The keeper was closed.
        public static let closed = Code(.closed)

        /// The code as one word, such as `wrongKey`.
        public var description: String { value.rawValue }

        var isRetryable: Bool {
            switch value {
            case .locked, .unavailable, .unknownOutcome: true
            default: false
            }
        }
    }
}
