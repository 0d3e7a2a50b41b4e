// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

/// Leases that a scheduler keeps, through a broker far away.
@Suite struct RenewalSchedulerTests {
    @Test func aWishOfTheBrokerTakesThePlaceOfThePolicysTime() throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            source.change { $0.window = RenewalWindow(earliest: .seconds(600), latest: .seconds(900)) }
            let begun = holder.clock
            let kept = holder.scheduler.keep(source.lease(), through: LeaseRoute<String, Int>(source))
            try await holder.wait(.seconds(6_000))
            kept.release()
            let times = [begun] + source.renewals.map(\.at)
            #expect(times.count >= 6)
            for (before, after) in zip(times, times.dropFirst()) {
                #expect(after - before >= .seconds(600) && after - before <= .seconds(901), "\(after - before)")
            }
        }
    }

    @Test func anAttemptThatHangsRunsIntoItsTimeoutAndHoldsUpNobody() throws {
        try HolderFixture.run(scheduler: { $0.concurrency = 1 }) { holder in
            let source = ScriptedSource(holder.time)
            let route = LeaseRoute<String, Int>(source, policy: RenewalPolicy(jitter: 0, attemptTimeout: .seconds(7)))
            let hanging = source.lease()
            source.change { state in
                state.onRenew = { [time = holder.fixture.time] lease in
                    if lease == hanging.id { try await time.sleep(for: .seconds(100_000)) }
                }
            }
            let begun = holder.clock
            let failures = Locked<[Duration]>([])
            holder.scheduler.keep(hanging, through: route) { [time = holder.fixture.time] news in
                if case .failed = news { failures.withLock { $0.append(time.read().continuous - begun) } }
            }
            let other = holder.scheduler.keep(source.lease(), through: route)
            try await holder.wait(.seconds(2_420))
            // The only place was taken for seven seconds, and then it was free.
            #expect((other.status?.validUntil ?? .zero) >= begun + .seconds(6_000))
            #expect(failures.withLock { $0 }.first == .seconds(2_407))
            #expect(source.renewals.count { $0.lease == hanging.id } >= 2)
        }
    }

    /// Leases whose renewals wait for room stand in nobody else's way: a credential under a live pool is replaced in time.
    @Test func leasesThatWaitForRoomHoldUpNoRotation() throws {
        try HolderFixture.run(scheduler: { $0.concurrency = 1 }) { holder in
            let (dead, source) = (ScriptedSource(holder.time), ScriptedSource(holder.time, seed: 2))
            dead.change { state in
                state.onRenew = { [time = holder.fixture.time] _ in try await time.sleep(for: .seconds(100_000)) }
            }
            let route = LeaseRoute<String, Int>(dead, policy: RenewalPolicy(jitter: 0))
            // Due after forty minutes, when each keeps the only place for ten seconds.
            for _ in 0..<100 { holder.scheduler.keep(dead.lease(), through: route) }
            source.change { ($0.ttl, $0.leftToMaximum) = (.seconds(3_660), .seconds(3_660)) }
            let healthy = LeaseRoute<String, Int>(source, policy: RenewalPolicy(jitter: 0))
            let credential = RotatingCredential("app", through: healthy, on: holder.scheduler)
            let first = try await credential.get()
            try await holder.wait(.seconds(2_430))
            #expect(credential.current?.generation == first.generation)
            try await holder.wait(.seconds(15))
            #expect(credential.current.map { $0.generation > first.generation } == true)
        }
    }

    @Test(arguments: [
        (LeaseError.Code.leaseNotFound, RenewalStop.revoked), (.leaseNotActive, .revoked), (.leaseExpired, .expired),
        (.credentialGone, .vanished), (.pastMaximum, .atMaximum), (.notRenewable, .notRenewable),
        (.targetUnavailable, .expired), (.backendDenied, .expired),
    ])
    func theLastNewsSaysWhyALeaseIsNotKeptAnyLonger(code: LeaseError.Code, stop: RenewalStop) throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            source.change { $0.onRenew = { _ in throw LeaseError(code, "no") } }
            let news = Locked<[KeptLease.News]>([])
            let begun = holder.clock
            let kept = holder.scheduler.keep(source.lease(), through: LeaseRoute<String, Int>(source)) { heard in
                news.withLock { $0.append(heard) }
            }
            try await holder.wait(.seconds(3_599))
            let isOver = [.targetUnavailable, .backendDenied].contains(code)
            #expect((kept.status != nil) == isOver)
            try await holder.wait(.seconds(2))
            #expect(news.withLock { $0 }.last == .stopped(stop))
            #expect(news.withLock { $0.count { if case .stopped = $0 { true } else { false } } } == 1)
            #expect(kept.status == nil && holder.scheduler.leaseCount == 0)
            #expect(holder.news.events(.renewalStopped).map(\.note) == [stop.description])
            // Nobody asks after the end.
            let asked = source.renewals.count
            try await holder.wait(.seconds(3_600))
            #expect(source.renewals.count == asked)
            #expect(source.renewals.allSatisfy { $0.at < begun + .seconds(3_600) })
        }
    }

    @Test func whatIsLetGoOrLeftAtTheEndIsToldSo() throws {
        let stops = Locked<[RenewalStop]>([])
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            let route = LeaseRoute<String, Int>(source)
            let note: @Sendable (KeptLease.News) -> Void = { news in
                if case .stopped(let stop) = news { stops.withLock { $0.append(stop) } }
            }
            let kept = holder.scheduler.keep(source.lease(), through: route, onNews: note)
            kept.release()
            kept.release()
            holder.scheduler.keep(source.lease(), through: route, onNews: note)
            // One that is at its maximum already is not kept at all.
            source.change { $0.leftToMaximum = .seconds(3_600) }
            holder.scheduler.keep(source.lease(), through: route, onNews: note)
            try await holder.wait(.seconds(1))
        }
        #expect(stops.withLock { $0 } == [.released, .atMaximum, .schedulerStopped])
    }

    @Test func noMoreAreUnderWayThanIsAllowed() throws {
        try HolderFixture.run(scheduler: {
            $0.concurrency = 4
            $0.rate = nil
        }) { holder in
            let source = ScriptedSource(holder.time)
            let running = Locked((now: 0, most: 0))
            source.change { state in
                state.onRenew = { [time = holder.fixture.time] _ in
                    running.withLock { counts in
                        counts.now += 1
                        counts.most = max(counts.most, counts.now)
                    }
                    try await time.sleep(for: .seconds(2))
                    running.withLock { $0.now -= 1 }
                }
            }
            let route = LeaseRoute<String, Int>(source, policy: RenewalPolicy(jitter: 0))
            for _ in 0..<40 { holder.scheduler.keep(source.lease(), through: route) }
            try await holder.wait(.seconds(2_430))
            #expect(source.renewals.count == 40)
            #expect(running.withLock { $0.most } == 4)
        }
    }

    /// Those whose time is over while they wait behind others hear of it in time, and not when their turn would come.
    @Test func whoseTimeIsOverWhileItWaitsForRoomIsToldSo() throws {
        try HolderFixture.run(scheduler: { $0.concurrency = 1 }) { holder in
            let source = ScriptedSource(holder.time)
            source.change { state in
                state.onRenew = { [time = holder.fixture.time] _ in try await time.sleep(for: .seconds(100_000)) }
            }
            let route = LeaseRoute<String, Int>(source, policy: RenewalPolicy(jitter: 0))
            let begun = holder.clock
            let ends = Locked<[Duration]>([])
            // Each keeps the only place for ten seconds, from minute forty on: there is time for an attempt at 120 of them.
            for _ in 0..<300 {
                holder.scheduler.keep(source.lease(), through: route) { [time = holder.fixture.time] news in
                    guard case .stopped(.expired) = news else { return }
                    ends.withLock { $0.append(time.read().continuous - begun) }
                }
            }
            try await holder.wait(.seconds(3_599))
            #expect(ends.withLock { $0 }.isEmpty)
            try await holder.wait(.seconds(3))
            #expect(ends.withLock { $0 }.count == 300)
            #expect(holder.scheduler.leaseCount == 0)
        }
    }

    @Test func anAgendaFindsAllThatIsDue() {
        var agenda = RenewalAgenda()
        agenda.grow(to: 1_000)
        #expect(agenda.numbers(dueBy: .seconds(9)).isEmpty)
        for number in 0..<1_000 { agenda.set(number, due: .seconds(number * 7_919 % 1_000)) }
        for limit in [-1, 0, 1, 499, 998, 999, 2_000] {
            let expected = (0..<1_000).filter { $0 * 7_919 % 1_000 <= limit }
            #expect(agenda.numbers(dueBy: .seconds(limit)).sorted() == expected)
        }
    }

    /// A worker that has left says when its time comes once more, when its place is another one's.
    @Test func whoHasLeftSetsNobodyElsesTime() throws {
        final class Worker: ScheduledWorker {
            let isClosed = true
            func wake(at now: Duration) {}
            func close(at now: Duration, until deadline: Duration) {}
            func didStop() {}
        }
        let scheduler = RenewalScheduler(time: VirtualTime())
        let (first, second) = (Worker(), Worker())
        let slot = try #require(scheduler.attach(first))
        scheduler.detach(first, from: slot)
        #expect(scheduler.attach(second) == slot)
        let due = scheduler.state.withLock { $0.errands.due(of: slot) }
        #expect(due != nil)
        scheduler.setDue(first, in: slot, nil)
        scheduler.setDue(first, in: slot, .seconds(1_000_000))
        scheduler.detach(first, from: slot)
        #expect(scheduler.state.withLock { $0.errands.due(of: slot) } == due)
        scheduler.setDue(second, in: slot, .seconds(1_000_000))
        #expect(scheduler.state.withLock { $0.errands.due(of: slot) } == .seconds(1_000_000))
    }
}
