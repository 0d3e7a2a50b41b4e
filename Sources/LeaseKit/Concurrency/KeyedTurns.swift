// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One at a time for each key; others wait in line.
final class KeyedTurns<Key: Hashable & Sendable>: Sendable {
    private let lines = Locked<[Key: [Reply<Void>]]>([:])

    /// Runs `body` when everybody before is done with `key`, and tells it whether it had to wait for that.
    ///
    /// - Throws: What `body` throws, `CancellationError` while waiting, or nil's error when the deadline passes first.
    func withTurn<Result>(
        _ key: Key,
        until deadline: Duration,
        _ time: any LeaseTime,
        _ body: (_ hadToWait: Bool) async throws -> Result
    ) async throws -> Result {
        let turn: Reply<Void>? = lines.withLock { lines in
            guard lines[key] != nil else {
                lines[key] = []
                return nil
            }
            let reply = Reply<Void>()
            lines[key]?.append(reply)
            return reply
        }
        if let turn { try await wait(for: turn, key, until: deadline, time) }
        defer { pass(key) }
        return try await body(turn != nil)
    }

    /// How many wait in line for a key.
    func waiting(for key: Key) -> Int { lines.withLock { $0[key]?.count ?? 0 } }

    private func wait(for turn: Reply<Void>, _ key: Key, until deadline: Duration, _ time: any LeaseTime) async throws {
        do {
            if try await turn.value(until: deadline, time) != nil { return }
        } catch {
            leave(turn, key)
            throw error
        }
        leave(turn, key)
        throw LeaseError(.deadlineExceeded, "another call for the same lease did not finish in time; try again")
    }

    /// Takes somebody who went away out of the line.
    private func leave(_ turn: Reply<Void>, _ key: Key) {
        lines.withLock { $0[key]?.removeAll { $0 === turn } }
    }

    /// Gives the turn to the next in line who is still there.
    private func pass(_ key: Key) {
        while true {
            let next: Reply<Void>? = lines.withLock { lines in
                guard var line = lines[key], !line.isEmpty else {
                    lines[key] = nil
                    return nil
                }
                let first = line.removeFirst()
                lines[key] = line
                return first
            }
            guard let next else { return }
            if next.deliver(.success(())) { return }
        }
    }
}
