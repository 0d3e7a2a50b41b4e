// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A verdict that was written down, or not: the store's answer was lost, and reading the record again failed, too.
struct LostAnswer: Sendable {
    let verdict: EndingJudge.Verdict
    let record: LeaseRecord
    let context: StoreContext
}

/// The verdicts that nobody was told of yet, for the next observation: the newest thousand.
final class LostAnswers: Sendable {
    private static let limit = 1_000
    private let state = Locked<[LostAnswer]>([])

    var all: [LostAnswer] { state.withLock { $0 } }

    func add(_ answers: [LostAnswer]) {
        state.withLock { state in
            state += answers
            if state.count > Self.limit { state.removeFirst(state.count - Self.limit) }
        }
    }

    func removeFirst(_ count: Int) {
        state.withLock { $0.removeFirst(min(count, $0.count)) }
    }
}
