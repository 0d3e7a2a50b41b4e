// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How backends are called.
extension LeaseManager {
    /// Asks a backend something that needs no I/O; a foreign error becomes ours.
    func askBackend<Answer>(_ question: () throws -> Answer) throws -> Answer {
        do {
            return try question()
        } catch let error as LeaseError {
            throw error
        } catch {
            let failure = BackendFailure(reading: error, during: .other)
            throw LeaseError(.backendFailed, failure.message, underlying: error)
        }
    }

    /// Makes one backend call that must outlive its caller: as a child of `run()`, waited for until `deadline`.
    ///
    /// A `CancellationError` that comes out of this is the caller's own. One that a backend throws is a failure like any other:
    /// nobody cancels a call. A backend that never waits is called in place. The place at the gate was taken before; it is given back when the
    /// call returns, however late. `late` is told of an answer that nobody waited for.
    func callBackend<Value: Sendable>(
        _ mount: MountRuntime,
        _ kind: MountGate.Kind,
        until deadline: Duration,
        about record: LeaseRecord? = nil,
        _ body: @escaping @Sendable () async throws -> Value,
        late: (@Sendable (Result<Value, any Error>) async -> Void)? = nil
    ) async throws -> Value {
        if mount.abilities.callStyle == .immediate {
            defer { mount.leave(kind) }
            do {
                return try await body()
            } catch is CancellationError {
                throw BackendFailure(cancelling: kind)
            }
        }
        let timeout = deadline - clock.moment().continuous
        let reply = Reply<Value>()
        let isAccepted = work.submit {
            let result: Result<Value, any Error>
            if reply.isAbandoned {
                result = .failure(BackendFailure.neverSent)
            } else {
                do {
                    result = .success(try await body())
                } catch is CancellationError {
                    result = .failure(BackendFailure(cancelling: kind))
                } catch {
                    result = .failure(error)
                }
            }
            let wasFull = mount.leave(kind)
            // Whoever hands out what is due has no other reason to look again: what is left was not due, or had a place.
            if kind == .revocation, wasFull || self.lifecycle.phase != .running { self.alarm.ring() }
            if !reply.deliver(result) { await late?(result) }
        }
        guard isAccepted else {
            mount.leave(kind)
            throw BackendFailure.neverSent
        }
        if let value = try await reply.value(until: deadline, deadlines) { return value }
        publish(
            record.map { LeaseEvent(.callOverdue, $0, at: clock.now) }
                ?? LeaseEvent(.callOverdue, at: clock.now, path: mount.path)
        )
        throw BackendFailure.overdue(after: timeout)
    }
}

extension BackendFailure {
    /// A backend that threw `CancellationError`, though nobody cancelled it.
    fileprivate init(cancelling kind: MountGate.Kind) {
        self.init(reading: CancellationError(), during: kind == .demand ? .renew : .revoke)
    }

    /// The backend was never called.
    static let neverSent = BackendFailure(
        .transient,
        code: "neverSent",
        "the backend was not called any more",
        underlying: NeverSent()
    )

    /// Whether the backend was called at all.
    var wasSent: Bool { !(underlying is NeverSent) }

    private struct NeverSent: Error {}
}
