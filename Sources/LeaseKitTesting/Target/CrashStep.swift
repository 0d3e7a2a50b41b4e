// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A point inside a backend's call at which a process can die.
public struct CrashStep: Hashable, Sendable, CustomStringConvertible {
    /// How far the call has come.
    public enum Moment: String, Hashable, Sendable, CaseIterable {
        /// Nothing was sent.
        case before
        /// The target has the request, and unless a fault put it off it is done; no answer has come.
        case sent
        /// The answer is here, and nobody has seen it.
        case answered
    }

    /// The call.
    public let operation: TargetOperation
    /// How far it has come.
    public let moment: Moment

    /// Makes a step.
    public init(_ operation: TargetOperation, _ moment: Moment) {
        self.operation = operation
        self.moment = moment
    }

    /// Before a credential is made.
    public static let beforeIssue = CrashStep(.issue, .before)
    /// The credential is made, the caller does not know.
    public static let issueApplied = CrashStep(.issue, .sent)
    /// The secret is in the caller's hands, and nothing was written down.
    public static let issueAnswered = CrashStep(.issue, .answered)
    /// Before an end is moved.
    public static let beforeRenew = CrashStep(.renew, .before)
    /// The end is moved, the caller does not know.
    public static let renewApplied = CrashStep(.renew, .sent)
    /// Before a credential is ended.
    public static let beforeRevoke = CrashStep(.revoke, .before)
    /// The credential is ended, the caller does not know.
    public static let revokeApplied = CrashStep(.revoke, .sent)
    /// Every step.
    public static let all = TargetOperation.allCases.flatMap { operation in
        Moment.allCases.map { CrashStep(operation, $0) }
    }

    /// The step as text, such as `issue.sent`.
    public var description: String { "\(operation.rawValue).\(moment.rawValue)" }
}

/// What is thrown out of a call when the process is meant to die there.
public struct SimulatedCrash: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where.
    public let step: CrashStep

    /// Makes a crash.
    public init(at step: CrashStep) { self.step = step }

    /// The step as text.
    public var description: String { "simulated crash at \(step)" }
}
