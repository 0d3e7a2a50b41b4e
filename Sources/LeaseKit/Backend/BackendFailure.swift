// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A backend's own word on what went wrong: the one classification that everything else goes by.
///
/// A backend may throw any error; one that is no `BackendFailure` counts as ambiguous during issue and renew (it may have
/// been applied) and as transient during revoke, with scope ``Scope/lease``.
public struct BackendFailure: Error, Sendable {
    /// What kind of failure it is.
    public let kind: Kind
    /// Whether it is about this lease or about the whole target.
    public let scope: Scope
    /// A short code, such as `28P01`.
    public let code: String
    /// A sentence for people that holds no secret.
    public let message: String
    /// When the target asks to be left alone for a while.
    public let retryAfter: Duration?
    /// What caused it.
    public let underlying: (any Error)?

    /// Makes a failure.
    public init(
        _ kind: Kind,
        scope: Scope = .lease,
        code: String? = nil,
        _ message: String,
        retryAfter: Duration? = nil,
        underlying: (any Error)? = nil
    ) {
        self.kind = kind
        self.scope = scope
        self.code = code ?? kind.description
        self.message = message
        self.retryAfter = retryAfter
        self.underlying = underlying
    }

    /// The kinds of failure.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private let name: String
        let foundTarget: String?
        private init(_ name: String, foundTarget: String? = nil) {
            self.name = name
            self.foundTarget = foundTarget
        }

        /// Not done, and may work next time.
        public static let transient = Kind("transient")
        /// It may have been done: the answer was lost.
        public static let ambiguous = Kind("ambiguous")
        /// The credential is not there.
        public static let gone = Kind("gone")
        /// Refused until somebody changes something.
        public static let denied = Kind("denied")
        /// Another target answers at this address.
        static func wrongTarget(_ found: String) -> Kind { Kind("wrongTarget", foundTarget: found) }

        /// The kind as one word.
        public var description: String { name }
    }

    /// How far a failure reaches.
    public struct Scope: Hashable, Sendable {
        private let isTarget: Bool

        /// This credential alone.
        public static let lease = Scope(isTarget: false)
        /// The target as a whole: cannot reach it, cannot log in, the admin password was changed.
        public static let target = Scope(isTarget: true)
    }

    /// Another target answers at this address: nothing was done, and no answer of it counts.
    public static func wrongTarget(found fingerprint: String) -> BackendFailure {
        BackendFailure(
            .wrongTarget(fingerprint),
            scope: .target,
            "another target (\(fingerprint)) answers at this address; adopt it if that is intended"
        )
    }

    /// The fingerprint that was found, for ``wrongTarget(found:)``.
    public var foundTarget: String? { kind.foundTarget }
}

extension BackendFailure: CustomStringConvertible, CustomReflectable {
    /// The code and the sentence.
    public var description: String { "\(code): \(message)" }

    /// Everything but the cause, of which only the type is shown: nobody can vouch for a foreign error's text.
    public var customMirror: Mirror {
        let cause = underlying.map { String(describing: type(of: $0)) }
        return Mirror(
            self,
            children: [
                "code": code, "message": message, "retryAfter": retryAfter as Any, "underlying": cause as Any,
            ]
        )
    }
}
