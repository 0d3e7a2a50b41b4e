// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Why something was done to a lease, and who asked for it.
///
/// Every mutating call carries one, so that events, errors and an audit table can say "revoked because its parent was,
/// by `ops@bastion`".
public struct LeaseCause: Hashable, Sendable {
    /// Why.
    public var reason: Reason
    private var asker: Asker?

    /// Makes a cause.
    public init(_ reason: Reason, actor: String? = nil, requestID: String? = nil) {
        self.reason = reason
        asker = Asker(actor: actor, requestID: requestID)
    }

    /// Who asked: a service, a user, a job.
    ///
    /// Free text of the application; never a secret.
    public var actor: String? {
        get { asker?.actor }
        set { asker = Asker(actor: newValue, requestID: requestID) }
    }

    /// The application's own id of the request that led to this, for its audit trail.
    public var requestID: String? {
        get { asker?.requestID }
        set { asker = Asker(actor: actor, requestID: newValue) }
    }

    /// What most causes lack.
    ///
    /// Shared and not copied: a call hands its cause on a dozen times, and two texts would be held and let go each time.
    private final class Asker: Hashable, Sendable {
        let actor: String?
        let requestID: String?

        /// Nil for nobody, so that equal causes are the same.
        init?(actor: String?, requestID: String?) {
            if actor == nil && requestID == nil { return nil }
            self.actor = actor
            self.requestID = requestID
        }

        static func == (lhs: Asker, rhs: Asker) -> Bool {
            lhs === rhs || lhs.actor == rhs.actor && lhs.requestID == rhs.requestID
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(actor)
            hasher.combine(requestID)
        }
    }

    /// A reason: one of the known ones, or an application's own word.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        /// The reason as one word, as it is stored.
        public let rawValue: String

        /// Makes a reason from a word of the application's own.
        public init(_ rawValue: String) { self.rawValue = rawValue }

        /// Somebody asked for it.
        public static let requested = Reason("requested")
        /// The lease's time was over.
        public static let expired = Reason("expired")
        /// The lease that it belonged to was ended.
        public static let parentEnded = Reason("parent-ended")
        /// It was never handed out: the issue failed, was cancelled or ran out of time.
        public static let issueFailed = Reason("issue-failed")
        /// The caller went away before it could take the secret.
        public static let callerGone = Reason("caller-gone")
        /// The scope that held it returned, threw or was cancelled.
        public static let scopeEnded = Reason("scope-ended")
        /// Another credential took its place.
        public static let rotated = Reason("rotated")
        /// The credential was found gone at the target.
        public static let credentialGone = Reason("credential-gone")
        /// Its last use was consumed.
        public static let usesSpent = Reason("uses-spent")
        /// The manager over a volatile store stopped.
        public static let shutdown = Reason("shutdown")
        /// The mount was removed.
        public static let unmounted = Reason("unmounted")
        /// A credential at the target that no lease names.
        public static let orphaned = Reason("orphaned")

        /// The reason as one word.
        public var description: String { rawValue }
    }
}

extension LeaseCause: CustomStringConvertible {
    /// The reason, and who asked: `requested by ops`.
    public var description: String {
        actor.map { "\(reason) by \($0)" } ?? reason.rawValue
    }
}
