// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension AWSError {
    /// What the manager makes of it.
    ///
    /// `missing` is what a missing entity means: in an issue something that the role names, later the credential itself.
    func failure(missing: BackendFailure.Kind = .gone) -> BackendFailure {
        switch code {
        case .noSuchEntity: return make(missing, .lease)
        case .deleteConflict: return make(.transient, .lease)
        case .outOfTime: return make(mayHaveBeenDone ? .ambiguous : .transient, .lease)
        case .unreachable, .noAnswer, .unreadableAnswer: return make(mayHaveBeenDone ? .ambiguous : .transient, .target)
        default: break
        }
        if code.isThrottling { return make(.transient, .target, retryAfter: retryAfter ?? .seconds(5)) }
        // All calls are signed by the same clock and the same key.
        if code.isAboutLogin || code.isAboutTheClock { return make(.denied, .target) }
        if (status ?? 0) >= 500 { return make(mayHaveBeenDone ? .ambiguous : .transient, .target) }
        return make(code.isTransient ? .transient : .denied, .lease)
    }

    private func make(
        _ kind: BackendFailure.Kind,
        _ scope: BackendFailure.Scope,
        retryAfter: Duration? = nil
    ) -> BackendFailure {
        let place = action.isEmpty ? "" : "\(action): "
        return BackendFailure(
            kind,
            scope: scope,
            code: code.text,
            place + message,
            retryAfter: retryAfter,
            underlying: self
        )
    }
}
