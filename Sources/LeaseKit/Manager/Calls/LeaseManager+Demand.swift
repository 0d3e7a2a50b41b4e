// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Makes one demand on a target: to issue, to renew, to list.
    ///
    /// It waits for a place at the mount, makes sure that the right target answers, and lets `body` make its call. The place
    /// is given back when the call returns, however late that is, or here when it never comes to one.
    ///
    /// Put where it is used, like ``Place/callInPlace(_:)``: each asynchronous call has a frame to be made and put away, and
    /// the way to a backend that never waits has nothing to wait for. What is seldom needed stays out of it by
    /// `@inline(never)`: a frame holds what every step in it may need, and of a type whose size only the runtime knows, such as
    /// `CancellationError`, each mention is memory to be got and given back in every call, whether it comes to it or not.
    @inline(__always)
    func demand<Answer>(
        at mount: MountRuntime,
        from moment: Moment,
        until deadline: Duration,
        _ body: (inout Place) async throws -> Answer
    ) async throws -> Answer {
        let isConfirmed = mount.enterNow(at: moment.now)
        if !isConfirmed { try await mount.enter(until: deadline, clock) }
        var place = Place(manager: self, mount: mount)
        do {
            if !isConfirmed { try await confirmTarget(of: mount) }
            return try await body(&place)
        } catch {
            place.leaveIfHeld()
            throw error
        }
    }
}

/// A place at a mount's gate, which is given back exactly once.
struct Place {
    private let manager: LeaseManager
    private let mount: MountRuntime
    private var isHeld = true

    fileprivate init(manager: LeaseManager, mount: MountRuntime) {
        self.manager = manager
        self.mount = mount
    }

    /// Makes the one call that the place is for; see ``LeaseManager/callBackend(_:_:until:about:_:late:)``.
    mutating func call<Value: Sendable>(
        until deadline: Duration,
        about record: LeaseRecord? = nil,
        _ body: @escaping @Sendable () async throws -> Value,
        late: (@Sendable (Result<Value, any Error>) async -> Void)? = nil
    ) async throws -> Value {
        isHeld = false
        return try await manager.callBackend(mount, .demand, until: deadline, about: record, body, late: late)
    }

    /// Makes the one call here and now, to a backend that never waits.
    @inline(__always)
    mutating func callInPlace<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        defer { leaveIfHeld() }
        return try await body()
    }

    fileprivate mutating func leaveIfHeld() {
        guard isHeld else { return }
        isHeld = false
        mount.leave(.demand)
    }
}
