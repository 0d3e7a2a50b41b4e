// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Follows what others do to a lease, measured against what its holder believes of its end.
///
/// News and the answers to the holder's own renewals come by different ways, so that an answer can come after newer news and
/// put an end back that is not true any more. So the source is asked again whenever the belief changes: what is different
/// from it is news.
final class ChangeWatch: Sendable {
    private struct State {
        var believed: LeaseInstant
        /// What the question that is under way is about.
        var asked: LeaseInstant?
        var isOver = false
    }

    private enum Answer: Sendable {
        case news(LeaseNews)
        case failed
        case rung
    }

    private let state: Locked<State>
    private let alarm = Alarm()
    private let time: any LeaseTime

    init(_ end: LeaseInstant, _ time: any LeaseTime) {
        state = Locked(State(believed: end))
        self.time = time
    }

    /// The holder takes the lease to end then.
    func believe(_ end: LeaseInstant) {
        let isAskedAgain = state.withLock { state in
            state.believed = end
            return state.asked.map { $0 != end } ?? false
        }
        if isAskedAgain { alarm.ring() }
    }

    /// The lease need not be followed any more.
    func stop() {
        state.withLock { $0.isOver = true }
        alarm.ring()
    }

    /// Waits for news; nil when it need not be followed any more, or the task is cancelled.
    ///
    /// A question that fails is put again, more and more slowly.
    func next(_ ask: @escaping @Sendable (LeaseInstant) async throws -> LeaseNews) async -> LeaseNews? {
        var failures = 0
        while !Task.isCancelled {
            let known: LeaseInstant? = state.withLock { state in
                state.asked = state.isOver ? nil : state.believed
                return state.asked
            }
            guard let known else { return nil }
            switch await answer(known, ask) {
            case .news(let news): return news
            case .rung: break
            case .failed:
                failures += 1
                let wait = min(Duration.seconds(1 << min(failures - 1, 6)), .seconds(60))
                await alarm.wait(until: time.read().continuous + wait, time)
            }
        }
        return nil
    }

    private func answer(
        _ known: LeaseInstant,
        _ ask: @escaping @Sendable (LeaseInstant) async throws -> LeaseNews
    ) async -> Answer {
        await withTaskGroup(of: Answer.self) { group in
            group.addTask {
                do { return .news(try await ask(known)) } catch { return .failed }
            }
            group.addTask {
                await self.alarm.waitForRing()
                return .rung
            }
            let first = await group.next() ?? .rung
            group.cancelAll()
            return first
        }
    }
}
