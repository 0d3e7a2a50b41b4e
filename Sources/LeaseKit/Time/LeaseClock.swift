// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The manager's clock: every reading of time in LeaseKit comes through here.
final class LeaseClock: Sendable {
    let time: any LeaseTime
    /// Whether the continuous clock can be read alone: all that most questions need, at a third of the cost.
    private let isSystem: Bool
    private let judge: Locked<ClockJudge>
    /// The judge's offset as it is now, so that asking for the time takes no lock.
    private let offset: Atomic<Int64>

    init(_ time: any LeaseTime) {
        self.time = time
        isSystem = time is SystemTime
        let judge = ClockJudge(time.read(), observed: nil)
        self.judge = Locked(judge)
        offset = Atomic(judge.offset ?? Self.noOffset)
    }

    /// Stands for a time that is not counted from the continuous clock.
    private static let noOffset = Int64.min

    /// Has the judge decide something, and notes what time it makes it.
    private func withJudge<Answer: Sendable>(_ body: (inout ClockJudge) -> Answer) -> Answer {
        judge.withLock { judge in
            defer { offset.store(judge.offset ?? Self.noOffset, ordering: .releasing) }
            return body(&judge)
        }
    }

    /// Starts over from what a store has observed last.
    func start(from observed: ObservedTime?) -> ClockDispute? {
        let reading = time.read()
        return withJudge { judge in
            judge = ClockJudge(reading, observed: observed)
            return judge.dispute
        }
    }

    /// The time now, and the continuous clock at the same moment.
    func moment() -> Moment {
        guard isSystem else { return moment(atContinuous: time.read().continuous) }
        let nanoseconds = SystemTime.continuousNanoseconds()
        let offset = offset.load(ordering: .acquiring)
        let (now, overflow) = nanoseconds.addingReportingOverflow(offset)
        if overflow || offset == Self.noOffset { return moment(atContinuous: .nanoseconds(nanoseconds)) }
        return Moment(now: LeaseInstant(nanosecondsSinceEpoch: now), continuous: .nanoseconds(nanoseconds))
    }

    private func moment(atContinuous continuous: Duration) -> Moment {
        Moment(now: judge.withLock { $0.now(atContinuous: continuous) }, continuous: continuous)
    }

    /// The time now.
    var now: LeaseInstant { moment().now }

    /// Looks at the clocks for suspends and jumps.
    func watch() -> ClockNews? {
        let reading = time.read()
        return withJudge { $0.watch(reading) }
    }

    /// Takes over the time of an authority: a witness, or the operator.
    func settle(to instant: LeaseInstant) {
        let reading = time.read()
        withJudge { $0.settle(to: instant, at: reading) }
    }

    /// Follows a store with a clock of its own, which was asked when the continuous clock showed `asked`.
    func follow(_ instant: LeaseInstant, asked: Duration, isFirst: Bool) {
        let reading = time.read()
        withJudge { $0.follow(instant, asked: asked, isFirst: isFirst, at: reading) }
    }

    /// What a store should remember for the next start.
    func observation() -> ObservedTime {
        let reading = time.read()
        return ObservedTime(
            time: judge.withLock { $0.now(reading) },
            bootID: reading.bootID,
            continuous: reading.continuous
        )
    }
}

/// One reading of the time, by both clocks that matter.
struct Moment: Sendable {
    let now: LeaseInstant
    let continuous: Duration

    /// Where the continuous clock will be when the time is `instant`; held at what a clock can show.
    func continuous(at instant: LeaseInstant) -> Duration {
        continuous + max(.zero, now.duration(to: instant))
    }
}
