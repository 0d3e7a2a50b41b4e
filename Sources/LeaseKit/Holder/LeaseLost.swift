// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease ended while somebody was using it.
public struct LeaseLost: Error, Hashable, CustomStringConvertible {
    /// Which one.
    public let lease: LeaseID
    /// Where it lay.
    public let path: String
    /// Why.
    public let reason: Reason

    /// Makes an error.
    public init(lease: LeaseID, path: String, reason: Reason) {
        self.lease = lease
        self.path = path
        self.reason = reason
    }

    /// The reasons.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        private let text: String
        private init(_ text: String) { self.text = text }

        /// Its time was over.
        public static let expired = Reason("its time was over")
        /// It was revoked.
        public static let revoked = Reason("it was revoked")

        /// Its credential is not at the target any more.
        public static let vanished = Reason("its credential is not at the target any more")

        /// The reason in words.
        public var description: String { text }
    }

    /// The lease and the reason.
    public var description: String { "lease \(path)/\(lease) was lost: \(reason)" }
}
