// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite(.timeLimit(.minutes(5))) struct WorkQueueTests {
    @Test func jobsComeOutInOrderAndAllAtOnce() async {
        let queue = WorkQueue()
        let seen = Locked<[Int]>([])
        for number in 0..<5 { #expect(queue.submit { seen.withLock { $0.append(number) } }) }
        let jobs = await queue.next() ?? []
        #expect(jobs.count == 5)
        for job in jobs { await job() }
        #expect(seen.withLock { $0 } == [0, 1, 2, 3, 4])
    }

    @Test func aFullQueueTakesNothingUntilItIsEmptied() async {
        let queue = WorkQueue(limit: 2)
        for isTaken in [true, true, false, false] { #expect(queue.submit {} == isTaken) }
        #expect(await queue.next()?.count == 2)
        #expect(queue.submit {})
    }

    @Test func whatIsInAClosedQueueIsStillHandedOut() async {
        let queue = WorkQueue()
        queue.submit {}
        queue.close()
        #expect(await queue.next()?.count == 1)
        #expect(await queue.next() == nil)
    }

    @Test func aClosedQueueTakesNothing() async {
        let queue = WorkQueue()
        queue.close()
        #expect(!queue.submit {})
        #expect(await queue.next() == nil)
    }

    @Test func closingWakesTheConsumer() async {
        let queue = WorkQueue()
        async let next = queue.next()
        queue.close()
        #expect(await next == nil)
    }

    @Test func everyAcceptedJobIsHandedOutOnceHoweverManyClose() async {
        for _ in 0..<50 {
            let queue = WorkQueue()
            let (accepted, ran) = await withTaskGroup(of: (Int, Int).self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var accepted = 0
                        for _ in 0..<50 where queue.submit({}) { accepted += 1 }
                        return (accepted, 0)
                    }
                }
                group.addTask {
                    var ran = 0
                    while let jobs = await queue.next() {
                        ran += jobs.count
                        if ran > 100 { queue.close() }
                    }
                    return (0, ran)
                }
                return await group.reduce(into: (0, 0)) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
            }
            #expect(accepted == ran)
            #expect(ran > 100)
        }
    }
}
