// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a backend answers to an issue.
public struct Issued<Secret: Sendable>: Sendable {
    /// The secret, for the caller alone.
    public var secret: Secret
    /// When the target ends the credential by itself; the lease never runs longer.
    ///
    /// Nil when it is as asked, or later.
    public var expiresAt: LeaseInstant?
    /// When the backend would like the first renewal, if it has a wish.
    public var window: RenewalWindow?

    /// Makes an answer.
    public init(_ secret: Secret, expiresAt: LeaseInstant? = nil, window: RenewalWindow? = nil) {
        self.secret = secret
        self.expiresAt = expiresAt
        self.window = window
    }
}

extension Issued: CustomStringConvertible, CustomReflectable {
    /// The end alone; the secret is redacted.
    public var description: String { "issued <redacted>" }
    /// The end alone; the secret is redacted.
    public var customMirror: Mirror { Mirror(self, children: ["expiresAt": expiresAt as Any]) }
}

/// What a backend answers to a renewal.
public struct Renewed: Sendable, Hashable {
    /// Where the credential's end lies at the target now, if it was moved.
    public let expiresAt: LeaseInstant?
    /// Why it was not moved, if it was not.
    public let refusal: String?
    /// When the backend would like the next renewal, if it has a wish.
    public let window: RenewalWindow?

    /// The credential now ends at `instant`, which may be earlier than asked, never later.
    public static func until(_ instant: LeaseInstant, window: RenewalWindow? = nil) -> Renewed {
        Renewed(expiresAt: instant, refusal: nil, window: window)
    }
    /// The credential cannot be extended; `why` is a sentence for people that holds no secret.
    public static func refused(_ why: String) -> Renewed { Renewed(expiresAt: nil, refusal: why, window: nil) }
}

/// What a backend answers to a revocation.
public struct RevocationOutcome: Sendable, Hashable {
    enum Value: Hashable { case revoked, alreadyGone, settledGone, notOurs, ends(LeaseInstant) }
    let value: Value

    /// The credential was there, and is not any more.
    public static let revoked = RevocationOutcome(value: .revoked)
    /// There was nothing to end.
    ///
    /// For a lease that was never handed out this is a hint only: it is looked at again.
    public static let alreadyGone = RevocationOutcome(value: .alreadyGone)
    /// There is nothing, and the backend knows that no request is in flight that could still make it.
    public static let provenGone = RevocationOutcome(value: .settledGone)
    /// Something bears this name but not our mark; it was left untouched.
    public static let notOurs = RevocationOutcome(value: .notOurs)
    /// It cannot be ended early and ends by itself at `instant`.
    public static func endsByItself(at instant: LeaseInstant) -> RevocationOutcome {
        RevocationOutcome(value: .ends(instant))
    }

    /// When it ends by itself, for ``endsByItself(at:)``.
    public var endsAt: LeaseInstant? {
        if case .ends(let instant) = value { instant } else { nil }
    }
}
