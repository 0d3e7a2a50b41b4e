// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One at a time for each key; others wait in line.
final class KeyedTurns<Key: Hashable & Sendable>: Sendable {
    private let lines = Locked(CallTable<Key, [Reply<Void>]>())

    /// Takes the turn, or a place in line: then the reply has to be waited for.
    ///
    /// Whoever has the turn gives it back with ``pass(_:)``.
    func enter(_ key: Key) -> Reply<Void>? {
        lines.withLock { lines in
            guard var line = lines[key] else {
                lines[key] = []
                return nil
            }
            let reply = Reply<Void>()
            // Taken out meanwhile, so that a long line is not copied.
            lines[key] = []
            line.append(reply)
            lines[key] = line
            return reply
        }
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
        while let next = lines.withLock({ Self.next(in: &$0, for: key) }) {
            if next.deliver(.success(())) { return }
        }
    }

    /// Takes the first out of a line; an empty line goes.
    private static func next(in lines: inout CallTable<Key, [Reply<Void>]>, for key: Key) -> Reply<Void>? {
        guard let line = lines[key], let first = line.first else {
            lines[key] = nil
            return nil
        }
        lines[key] = Array(line.dropFirst())
        return first
    }
}
