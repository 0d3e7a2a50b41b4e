// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One at a time for each key; others wait in line.
final class KeyedTurns<Key: Hashable & Sendable>: Sendable {
    private let lines = Locked<[Key: [Reply<Void>]]>([:])

    /// Takes the turn, or a place in line: then the reply has to be waited for.
    ///
    /// Whoever has the turn gives it back with ``pass(_:)``.
    func enter(_ key: Key) -> Reply<Void>? {
        lines.withLock { Self.enter(&$0[key]) }
    }

    /// One look into the table for both: whether there is a line, and its new end.
    private static func enter(_ line: inout [Reply<Void>]?) -> Reply<Void>? {
        guard line != nil else {
            line = []
            return nil
        }
        let reply = Reply<Void>()
        line?.append(reply)
        return reply
    }

    /// How many wait in line for a key.
    func waiting(for key: Key) -> Int { lines.withLock { $0[key]?.count ?? 0 } }

    /// Waits for the turn.
    ///
    /// - Throws: `CancellationError`, or an error that says so when the deadline passes first.
    func wait(for turn: Reply<Void>, _ key: Key, until deadline: Duration, _ time: any LeaseTime) async throws {
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
    func pass(_ key: Key) {
        while let next = lines.withLock({ Self.pass(&$0[key]) }) {
            if next.deliver(.success(())) { return }
        }
    }

    private static func pass(_ line: inout [Reply<Void>]?) -> Reply<Void>? {
        guard line?.isEmpty == false else {
            line = nil
            return nil
        }
        return line?.removeFirst()
    }
}
