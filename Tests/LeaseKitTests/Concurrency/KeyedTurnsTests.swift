// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite(.timeLimit(.minutes(5))) struct KeyedTurnsTests {
    private let time = VirtualTime()

    @Test func oneAtATimeForEachKey() async throws {
        let turns = KeyedTurns<Int>()
        let inside = Locked<[Int: Int]>([:])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { [time] in
                    try await turns.withTurn(number % 3, until: .seconds(1), time) { _ in
                        let count = inside.withLock {
                            $0[number % 3, default: 0] += 1; return $0[number % 3] ?? 0
                        }
                        #expect(count == 1)
                        inside.withLock { $0[number % 3, default: 0] -= 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(inside.withLock { $0.values.allSatisfy { $0 == 0 } })
    }

    @Test func otherKeysDoNotWait() async throws {
        let turns = KeyedTurns<Int>()
        try await turns.withTurn(1, until: .zero, time) { _ in
            try await turns.withTurn(2, until: .zero, time) { _ in }
        }
    }

    @Test func whoWaitsTooLongIsToldSo() async throws {
        let turns = KeyedTurns<Int>()
        let error = try await turns.withTurn(1, until: .zero, time) { _ in
            async let second: Void = turns.withTurn(1, until: .seconds(3), time) { _ in }
            try await time.waitUntilArmed(until: .seconds(3))
            await time.advance(by: .seconds(3))
            do {
                try await second
                return LeaseError?.none
            } catch let error as LeaseError {
                return error
            }
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.message.contains("try again") == true)
        try await turns.withTurn(1, until: .zero, time) { _ in }
    }

    @Test func aTurnPassesOverWhoWentAway() async throws {
        let turns = KeyedTurns<Int>()
        try await withThrowingTaskGroup(of: Int.self) { group in
            try await turns.withTurn(1, until: .zero, time) { _ in
                async let gone: Void = turns.withTurn(1, until: .seconds(3), time) { _ in }
                try await time.waitUntilArmed(until: .seconds(3))
                group.addTask { [time] in try await turns.withTurn(1, until: .seconds(9), time) { _ in 9 } }
                try await time.waitUntilArmed(until: .seconds(9))
                await time.advance(by: .seconds(3))
                _ = try? await gone
            }
            #expect(try await group.next() == 9)
        }
    }

    @Test func whoGoesAwayLeavesTheLine() async throws {
        let turns = KeyedTurns<Int>()
        try await turns.withTurn(1, until: .zero, time) { _ in
            await withTaskGroup(of: Void.self) { group in
                for number in 1...5 {
                    group.addTask { [time] in
                        try? await turns.withTurn(1, until: .seconds(number), time) { _ in }
                    }
                }
                for number in 1...5 { try? await time.waitUntilArmed(until: .seconds(Int64(number))) }
                #expect(turns.waiting(for: 1) == 5)
                // Two run out of time, the others are cancelled.
                await time.advance(by: .seconds(2))
                for _ in 0..<2 { await group.next() }
                #expect(turns.waiting(for: 1) == 3)
                group.cancelAll()
            }
            #expect(turns.waiting(for: 1) == 0)
        }
    }

    @Test func anErrorPassesTheTurnOn() async throws {
        let turns = KeyedTurns<Int>()
        await #expect(throws: CancellationError.self) {
            try await turns.withTurn(1, until: .zero, time) { _ in throw CancellationError() }
        }
        #expect(try await turns.withTurn(1, until: .zero, time) { _ in true })
    }
}

extension KeyedTurns {
    /// Runs `body` when everybody before is done with `key`, and tells it whether it had to wait for that.
    fileprivate func withTurn<Result>(
        _ key: Key,
        until deadline: Duration,
        _ time: any LeaseTime,
        _ body: (_ hadToWait: Bool) async throws -> Result
    ) async throws -> Result {
        let turn = enter(key)
        if let turn { try await wait(for: turn, key, until: deadline, time) }
        defer { pass(key) }
        return try await body(turn != nil)
    }
}
