// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Brings calls to the engine: through its thread, or in place under simulation.
final class Runner: Sendable {
    private let thread: CommitThread?
    private let inline: Locked<Engine>?

    init(_ engine: Engine, isInline: Bool) {
        thread = isInline ? nil : CommitThread(engine)
        inline = isInline ? Locked(engine) : nil
    }

    deinit { thread?.stop() }

    /// Runs `body`, in a transaction unless it `isAlone`, and answers once everything that it did is safe on the disk.
    ///
    /// The caller's actor is named outright: optimised by Swift 6.3, a function that inherits it silently came back from the
    /// continuation on some other thread.
    func run<Value: Sendable>(
        isAlone: Bool = false,
        isolation: isolated (any Actor)? = #isolation,
        _ body: @escaping @Sendable (Engine) throws -> Value
    ) async throws -> Value {
        if let inline {
            let answer = Locked<Result<Value, any Error>?>(nil)
            let call = Call(isAlone: isAlone, body) { result in answer.withLock { $0 = result } }
            inline.withLock { $0.run([call]) }
            if let result = answer.withLock({ $0 }) { return try result.get() }
        }
        return try await withCheckedThrowingContinuation(isolation: isolation) { continuation in
            thread?.enqueue(Call(isAlone: isAlone, body) { continuation.resume(with: $0) })
        }
    }
}
