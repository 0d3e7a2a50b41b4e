// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension BackendFailure {
    /// What a backend was doing when it threw.
    enum Work { case issue, renew, revoke, other }

    /// Reads whatever a backend threw.
    ///
    /// Of a foreign error only the type's name is kept: nobody can vouch for its text.
    init(reading error: any Error, during work: Work) {
        switch error {
        case let failure as BackendFailure:
            self = failure
        case let error as LeaseError:
            self.init(.denied, code: error.code.description, error.message, underlying: error)
        case let error as UnreadableHandle:
            self.init(.denied, code: "unreadableHandle", "the backend cannot read the stored handle", underlying: error)
        default:
            // A request that was cut off in the middle may still have reached the target.
            let kind: Kind = work == .issue || work == .renew ? .ambiguous : .transient
            let message =
                "the backend threw \(type(of: error)), which is no BackendFailure; wrap it to say what it means"
            self.init(kind, code: "foreignError", message, underlying: error)
        }
    }

    /// A call that did not return by its deadline.
    static func overdue(after timeout: Duration) -> BackendFailure {
        BackendFailure(.ambiguous, code: "overdue", "no answer within \(LeaseDuration.text(of: timeout))")
    }

    /// The same failure of a question that was about the target and not about a lease, whatever the backend said.
    var aboutTarget: BackendFailure {
        if scope == .target { return self }
        return BackendFailure(
            kind,
            scope: .target,
            code: code,
            message,
            retryAfter: retryAfter,
            underlying: underlying
        )
    }

    /// The note of it that a record keeps.
    var note: LeaseFailure { LeaseFailure(code: code, message: message) }

    /// Whether the target answered, however badly.
    var reachedTarget: Bool { scope == .lease && (kind == .gone || kind == .denied) }
}
