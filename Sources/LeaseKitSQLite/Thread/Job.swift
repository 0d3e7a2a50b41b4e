// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One call to the store on its way through the engine.
protocol Job: AnyObject, Sendable {
    /// Whether it needs the engine itself and not a transaction that others share.
    var isAlone: Bool { get }
    /// Does the work; may be done again after a rollback.
    func run(_ engine: Engine) throws
    /// Hands out what the last run came to.
    func succeed()
    /// Hands out an error instead.
    func fail(_ error: any Error)
}

/// A job with an answer.
///
/// Unchecked, because `value` is not protected: the engine alone touches it, on one thread at a time, and `finish` is called
/// once, at the end.
final class Call<Value: Sendable>: Job, @unchecked Sendable {
    let isAlone: Bool
    private let body: @Sendable (Engine) throws -> Value
    private let finish: @Sendable (Result<Value, any Error>) -> Void
    private var value: Value?

    init(
        isAlone: Bool,
        _ body: @escaping @Sendable (Engine) throws -> Value,
        finish: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        self.isAlone = isAlone
        self.body = body
        self.finish = finish
    }

    func run(_ engine: Engine) throws { value = try body(engine) }

    func succeed() {
        guard let value else { return }
        self.value = nil
        finish(.success(value))
    }

    func fail(_ error: any Error) { finish(.failure(error)) }
}
