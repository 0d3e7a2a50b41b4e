// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite(.timeLimit(.minutes(5))) struct ReplyTests {
    private let time = VirtualTime()

    @Test func anAnswerThatWasGivenBeforeIsTaken() async throws {
        let reply = Reply<Int>()
        #expect(reply.deliver(.success(1)))
        #expect(try await reply.value(until: .zero, time) == 1)
    }

    @Test func anAnswerThatComesLaterWakesTheWaitingSide() async throws {
        let reply = Reply<Int>()
        async let value = reply.value(until: .seconds(5), time)
        try await time.waitForSleepers(1)
        #expect(reply.deliver(.success(2)))
        #expect(try await value == 2)
        #expect(time.sleeperCount == 0)
    }

    @Test func withoutAnAnswerTheWaitEndsInTime() async throws {
        let reply = Reply<Int>()
        async let value = reply.value(until: .seconds(5), time)
        try await time.waitUntilArmed(until: .seconds(5))
        await time.advance(by: .seconds(5))
        #expect(try await value == nil)
        #expect(reply.isAbandoned)
        #expect(!reply.deliver(.success(1)))
    }

    @Test func aCancelledWaitEndsAtOnceAndTheOtherSideLearnsOfIt() async throws {
        let reply = Reply<Int>()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { [time] in
                do { _ = try await reply.value(until: .seconds(5), time) } catch { return error is CancellationError }
                return false
            }
            try? await time.waitForSleepers(1)
            group.cancelAll()
            #expect(await group.next() == true)
        }
        #expect(reply.isAbandoned)
        #expect(!reply.deliver(.success(1)))
    }

    @Test func anErrorIsDeliveredLikeAnAnswer() async {
        let reply = Reply<Int>()
        #expect(reply.deliver(.failure(LeaseError(.overloaded, "no"))))
        await #expect(throws: LeaseError(.overloaded, "")) { _ = try await reply.value(until: .zero, time) }
    }

    @Test func onlyTheFirstAnswerCounts() async throws {
        let reply = Reply<Int>()
        #expect(reply.deliver(.success(1)))
        #expect(!reply.deliver(.success(2)))
        #expect(try await reply.valueWhateverHappens() == 1)
    }

    @Test func aSecondReaderIsTurnedAway() async throws {
        let reply = Reply<Int>()
        reply.deliver(.success(1))
        _ = try await reply.valueWhateverHappens()
        await #expect(throws: CancellationError.self) { _ = try await reply.valueWhateverHappens() }
    }

    @Test func waitingWhateverHappensIsNotEndedByCancellation() async throws {
        let reply = Reply<Int>()
        let value = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await reply.valueWhateverHappens() }
            group.cancelAll()
            #expect(reply.deliver(.success(3)))
            return try await group.next()
        }
        #expect(value == 3)
    }

    @Test func ofDeliveryTimeoutAndCancellationExactlyOneSideWins() async throws {
        for round in 0..<600 {
            let reply = Reply<Int>()
            let time = VirtualTime()
            let (isTaken, got) = await withTaskGroup(of: (Bool?, Bool?).self) { group in
                group.addTask {
                    // A group of its own, so that only the wait is cancelled.
                    await withTaskGroup(of: Bool.self) { waiting in
                        waiting.addTask { (try? await reply.value(until: .seconds(1), time)).flatMap { $0 } == 7 }
                        if round % 3 == 0 { waiting.cancelAll() }
                        return (nil, await waiting.next())
                    }
                }
                group.addTask { (reply.deliver(.success(7)), nil) }
                if round % 3 == 1 {
                    group.addTask {
                        await time.advance(by: .seconds(1)); return (nil, nil)
                    }
                }
                var outcome: (Bool?, Bool?) = (nil, nil)
                for await (taken, got) in group {
                    outcome = (outcome.0 ?? taken, outcome.1 ?? got)
                }
                return outcome
            }
            #expect(isTaken != nil)
            #expect(isTaken == got, "round \(round)")
        }
    }

    @Test func ofManyAnswersOneIsTaken() async throws {
        for _ in 0..<100 {
            let reply = Reply<Int>()
            let taken = await withTaskGroup(of: Int?.self) { group -> [Int] in
                for number in 0..<16 { group.addTask { reply.deliver(.success(number)) ? number : nil } }
                return await group.reduce(into: []) { all, number in
                    if let number { all.append(number) }
                }
            }
            #expect(taken.count == 1)
            #expect(try await reply.valueWhateverHappens() == taken.first)
        }
    }
}
