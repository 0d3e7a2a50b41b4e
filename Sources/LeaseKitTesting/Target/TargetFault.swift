// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What goes wrong with one request to an ``InMemoryTarget``.
public struct TargetFault: Hashable, Sendable, CustomStringConvertible {
    enum Value: Hashable, Sendable {
        case none
        case failBefore(Failure)
        case failAfter
        case hang
        case lose
        case loseReply
        case delay(Duration)
        case slowReply(Duration)
        case late(Duration)
        case lateAfterRevoke(Duration)
        case duplicate(Duration)
    }

    struct Failure: Hashable, Sendable {
        let kind: BackendFailure.Kind
        let scope: BackendFailure.Scope
        let retryAfter: Duration?
    }

    let value: Value

    /// Nothing goes wrong: lets one request pass in a script.
    public static let none = TargetFault(value: .none)
    /// Refused before anything was done.
    public static func failBefore(
        _ kind: BackendFailure.Kind = .transient,
        scope: BackendFailure.Scope = .lease,
        retryAfter: Duration? = nil
    ) -> TargetFault {
        TargetFault(value: .failBefore(Failure(kind: kind, scope: scope, retryAfter: retryAfter)))
    }
    /// Done, but answered with an error that leaves it open.
    public static let failAfter = TargetFault(value: .failAfter)
    /// Neither done nor answered until ``InMemoryTarget/releaseHanging(applying:)``, or for ever.
    public static let hang = TargetFault(value: .hang)
    /// Lost on its way in: never done, never answered.
    public static let lose = TargetFault(value: .lose)
    /// Done at once, but the answer is lost.
    public static let loseReply = TargetFault(value: .loseReply)
    /// Done and answered only after a while, whether or not the caller still waits.
    public static func delay(_ duration: Duration) -> TargetFault { TargetFault(value: .delay(duration)) }
    /// Done at once, answered after a while.
    public static func slowReply(_ duration: Duration) -> TargetFault { TargetFault(value: .slowReply(duration)) }
    /// Done after a while and never answered: after the caller's timeout, after its crash.
    public static func late(_ duration: Duration) -> TargetFault { TargetFault(value: .late(duration)) }
    /// Never answered, and done this long after a revocation of the same name found nothing.
    public static func lateAfterRevoke(plus duration: Duration = .zero) -> TargetFault {
        TargetFault(value: .lateAfterRevoke(duration))
    }
    /// Done and answered at once, and done a second time after a while.
    public static func duplicate(after duration: Duration = .zero) -> TargetFault {
        TargetFault(value: .duplicate(duration))
    }

    /// The fault in words.
    public var description: String { "\(value)" }
}
