// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LeaseKit

@Suite struct PatienceTests {
    private let start = LeaseInstant(nanosecondsSinceEpoch: 1_000_000_000)

    /// When a parent is looked at, in seconds after its order was placed, until its patience is over.
    private func looks(_ length: Duration) -> [Duration] {
        let patience = Patience(placedAt: start, length: length)
        var looks: [Duration] = []
        var now = start
        while let next = patience.nextLook(at: now), looks.count < 100 {
            now = next
            looks.append(start.duration(to: now))
        }
        return looks
    }

    @Test func looksAreFrequentAtFirstAndSeldomLater() {
        let looks = looks(.seconds(30))
        #expect(looks.prefix(3) == [.seconds(1), .seconds(2), .seconds(3)])
        #expect(looks.last == .seconds(30))
        #expect(looks.count <= 12)
        let pauses = zip(looks, looks.dropFirst()).map { $1 - $0 }
        #expect(pauses.allSatisfy { $0 <= .seconds(5) })
    }

    @Test func theLastLookIsAtTheEndAndThereIsNoneAfterIt() {
        #expect(looks(.milliseconds(1_500)) == [.seconds(1), .milliseconds(1_500)])
        #expect(looks(.zero).isEmpty)
        #expect(Patience(placedAt: start, length: .seconds(30)).nextLook(at: start + .seconds(31)) == nil)
    }

    @Test func aClockThatWentBackDoesNotStopTheLooks() {
        let early = LeaseInstant(nanosecondsSinceEpoch: 0)
        #expect(Patience(placedAt: start, length: .seconds(30)).nextLook(at: early) == early + .seconds(1))
    }
}
