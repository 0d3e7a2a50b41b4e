// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a failed renewal or issue means for what comes next.
enum RenewalVerdict: Sendable {
    /// Nobody answered, or it may have been done: the same again.
    case unanswered(retryAfter: Duration?)
    /// The answer was no, and may change: asked again, but slowly.
    case refused(retryAfter: Duration?)
    /// This lease will not be extended any more.
    case final(RenewalStop)
    /// The lease is over.
    case over(LeaseLost.Reason)

    /// Reads an error of a source.
    init(reading error: any Error) {
        guard let error = error as? LeaseError else {
            self = .unanswered(retryAfter: nil)
            return
        }
        switch error.code {
        case .leaseNotFound, .leaseNotActive, .noUsesLeft: self = .over(.revoked)
        case .leaseExpired: self = .over(.expired)
        case .credentialGone: self = .over(.vanished)
        case .pastMaximum: self = .final(.atMaximum)
        case .notRenewable: self = .final(.notRenewable)
        case .deadlineExceeded, .targetUnavailable, .storeUnavailable, .storeUnknown, .overloaded, .managerNotRunning,
            .managerStopped, .requestRepeated:
            self = .unanswered(retryAfter: error.retryAfter)
        default: self = .refused(retryAfter: error.retryAfter)
        }
    }

    /// Whether the other side was there and said something.
    var isAnswered: Bool { if case .unanswered = self { false } else { true } }

    var isRefused: Bool { if case .refused = self { true } else { false } }

    var retryAfter: Duration? {
        switch self {
        case .unanswered(let wait), .refused(let wait): wait
        case .final, .over: nil
        }
    }
}

/// Why a lease is not kept any longer.
public struct RenewalStop: Hashable, Sendable, CustomStringConvertible {
    private let text: String
    private init(_ text: String) { self.text = text }

    /// Its time was over, and no renewal had come through.
    public static let expired = RenewalStop("its time was over, and no renewal had come through")
    /// Somebody revoked it.
    public static let revoked = RenewalStop("it was revoked")
    /// Its credential is not at the target any more.
    public static let vanished = RenewalStop("its credential is not at the target any more")
    /// It is as old as it may become; it is still valid until its end.
    public static let atMaximum = RenewalStop("it has reached its maximum")
    /// It cannot be extended; it is still valid until its end.
    public static let notRenewable = RenewalStop("it cannot be extended")
    /// Its holder lets it go.
    public static let released = RenewalStop("its holder let it go")
    /// The scheduler stopped; the lease is still valid until its end.
    public static let schedulerStopped = RenewalStop("the scheduler stopped")

    init(_ reason: LeaseLost.Reason) {
        switch reason {
        case .revoked: self = .revoked
        case .vanished: self = .vanished
        default: self = .expired
        }
    }

    /// Whether the lease itself is over.
    public var isOver: Bool { self == .expired || self == .revoked || self == .vanished }

    /// The reason in words.
    public var description: String { text }
}
