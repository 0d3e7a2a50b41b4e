// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

/// One sleeper for all deadlines: each comes at its time, whatever came before it.
@Suite struct DeadlinesTests {
    @Test func eachComesAtItsTime() async throws {
        let (time, deadlines, told) = (VirtualTime(), Deadlines(), Locked<[String]>([]))
        let start = time.read().continuous
        func tell(_ name: String) -> @Sendable () -> Void {
            { told.withLock { $0.append(name) } }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await deadlines.serve(time) }
            _ = deadlines.add(start + .seconds(30), tell("late"))
            try await time.waitUntilArmed(until: start + .seconds(30))
            _ = deadlines.add(start + .seconds(10), tell("early"))
            try await time.waitUntilArmed(until: start + .seconds(10))
            deadlines.remove(deadlines.add(start + .seconds(20), tell("taken back")))
            await time.advance(by: .seconds(10))
            try await time.waitUntilArmed(until: start + .seconds(30))
            #expect(told.withLock { $0 } == ["early"])
            await time.advance(by: .seconds(20))
            deadlines.close()
            try await group.waitForAll()
        }
        #expect(told.withLock { $0 } == ["early", "late"])
    }

    @Test func whoeverStillWaitsAfterTheCloseIsTold() async throws {
        let (time, deadlines) = (VirtualTime(), Deadlines())
        let start = time.read().continuous
        let reply = Reply<Int>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await deadlines.serve(time) }
            group.addTask {
                let answer = try await reply.value(until: start + .seconds(5), deadlines)
                #expect(answer == nil)
                #expect(!reply.deliver(.success(1)), "nobody is there to take it")
            }
            try await time.waitUntilArmed(until: start + .seconds(5))
            deadlines.close()
            await time.advance(by: .seconds(5))
            try await group.waitForAll()
        }
    }

    @Test func anAnswerAndACancellationComeBeforeTheDeadline() async throws {
        let (time, deadlines) = (VirtualTime(), Deadlines())
        let end = time.read().continuous + .seconds(5)
        let answered = Reply<Int>()
        answered.deliver(.success(7))
        #expect(try await answered.value(until: end, deadlines) == 7)
        let abandoned = Reply<Int>()
        let waiter = Task { try await abandoned.value(until: end, deadlines) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        // Nobody waits any more, so that there is nothing to stay for.
        deadlines.close()
        await deadlines.serve(time)
    }
}
