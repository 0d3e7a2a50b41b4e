// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Runs `body` where cancellation does not reach it, and waits for `finished`.
///
/// Holds the one unstructured task of the core: a child of the caller would be cancelled with it, and what is being ended at
/// a target must not be cut off half way. The executor is the caller's choice, so that a seeded one sees every job.
func shielded(
    on executor: (any TaskExecutor)?,
    finished: Reply<Void>,
    onCancel: @escaping @Sendable () -> Void,
    _ body: @escaping @Sendable () async -> Void
) async throws {
    _ = Task(executorPreference: executor) {
        await body()
        finished.deliver(.success(()))
    }
    try await withTaskCancellationHandler {
        // Answered by the shutdown's timer, long before the body's end if something hangs: it holds up nobody.
        try await finished.valueWhateverHappens()
    } onCancel: {
        onCancel()
    }
}
