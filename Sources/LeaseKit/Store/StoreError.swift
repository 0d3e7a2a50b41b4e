// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a store throws.
public struct StoreError: Error, Sendable, CustomStringConvertible, CustomReflectable {
    /// What is known about the call.
    ///
    /// Frozen: it was not done, it was not even asked, or nobody knows. The manager rests on there being no fourth.
    public enum Kind: Hashable, Sendable {
        /// Nothing was done, and trying again will not help: a full disk, a newer schema, a file that is read-only.
        case refused
        /// Nothing was done; trying again later may help.
        case unavailable
        /// It may have been done: the answer was lost.
        case unknown
    }

    /// What is known about the call.
    public let kind: Kind
    /// A sentence for people, with the fix in it.
    public let message: String
    /// What caused it.
    public let underlying: (any Error)?

    /// Makes an error.
    public init(_ kind: Kind, _ message: String, underlying: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.underlying = underlying
    }

    /// The sentence; safe to log.
    public var description: String { message }

    /// The sentence, and of the cause only its type: nobody can vouch for a foreign error's text.
    public var customMirror: Mirror {
        let cause = underlying.map { String(describing: type(of: $0)) }
        return Mirror(self, children: ["kind": kind, "message": message, "underlying": cause as Any])
    }
}
