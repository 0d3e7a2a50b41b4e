// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// A rotating credential through a broker whose answers are of no use.
@Suite struct OddAnswerTests {
    private func withCredential(
        _ change: @escaping @Sendable (inout ScriptedSource.State) -> Void,
        _ body: @escaping @Sendable (HolderFixture, ScriptedSource, RotatingCredential<Int>) async throws -> Void
    ) throws {
        try HolderFixture.run { holder in
            let source = ScriptedSource(holder.time)
            source.change(change)
            let policy = RenewalPolicy(jitter: 0)
            let route = LeaseRoute<String, Int>(source, policy: policy)
            try await body(holder, source, RotatingCredential("app", through: route, on: holder.scheduler))
        }
    }

    /// A clock that lags, or a role of no length: asked without pause, the target would drown in credentials.
    @Test(arguments: [Duration.zero, .seconds(-60)])
    func aCredentialThatIsOverWhenItComesIsAFailure(ttl: Duration) throws {
        try withCredential({ state in
            state.ttl = ttl
            // Ends the test where nothing else would.
            state.onIssue = { count in if count > 100 { throw unreachable } }
        }) { holder, source, credential in
            let error = await #expect(throws: LeaseError.self) { try await credential.get() }
            #expect(error?.code == .leaseExpired, "\(String(describing: error))")
            #expect(holder.news.events(.rotated).isEmpty)
            try await holder.wait(.seconds(600))
            #expect((2...25).contains(source.issued.count), "\(source.issued.count) in ten minutes")
        }
    }

    /// Somebody revokes whatever is made: each second costs one credential at most.
    @Test func whatIsRevokedAsSoonAsItIsMadeIsNotMadeInALoop() throws {
        try HolderFixture.run { holder in
            let credential = holder.credential()
            let manager = holder.manager
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [time = holder.fixture.time] in
                    for await secret in credential.updates() {
                        _ = try await manager.revoke(.lease(secret.lease))
                        if time.read().continuous < .zero { return }
                    }
                }
                try await holder.wait(.seconds(60))
                group.cancelAll()
            }
            #expect((30...61).contains(holder.issues), "\(holder.issues) in a minute")
        }
    }

    @Test func whoWaitsForMoreThanIsEverGrantedIsToldSo() throws {
        try withCredential({ _ in }) { holder, source, credential in
            let began = holder.clock
            let error = await #expect(throws: LeaseError.self) {
                try await credential.get(validFor: .seconds(7_200), within: .seconds(600))
            }
            #expect(error?.code == .pastMaximum, "\(String(describing: error))")
            #expect(holder.clock - began < .seconds(60))
            #expect(source.issued.count == 1)
            #expect(credential.health == .healthy)
        }
    }

    /// The renewal that is made for somebody is cut short by the maximum: the replacement comes at once, and not at its time.
    @Test func whoWaitsForMoreThanARenewalGrantsGetsAReplacement() throws {
        try withCredential({ _ in }) { holder, source, credential in
            let first = try await credential.get()
            try await holder.wait(.seconds(2_000))
            source.change { $0.leftToMaximum = .seconds(1_700) }
            let second = try await credential.get(validFor: .seconds(3_000), within: .seconds(60))
            #expect(second.generation > first.generation)
            #expect(source.issued.count == 2 && source.renewals.count == 1)
        }
    }

    /// Two who read from one iterator: the second one is told that there is nothing for it, and the first one goes on.
    @Test func aSecondReaderOfOneIteratorDoesNotWaitForEver() throws {
        try withCredential({ _ in }) { holder, _, credential in
            let first = try await credential.get()
            let iterator = Locked(credential.updates().makeAsyncIterator())
            var own = iterator.withLock { $0 }
            #expect(await own.next()?.generation == first.generation)
            try await withThrowingTaskGroup(of: UInt64?.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        var copy = iterator.withLock { $0 }
                        return await copy.next()?.generation.rawValue
                    }
                }
                try await holder.wait(.seconds(60))
                credential.rejected(first.generation)
                try await holder.wait(.seconds(60))
                group.cancelAll()
                var answers: [UInt64?] = []
                for try await answer in group { answers.append(answer) }
                #expect(answers.compactMap { $0 } == [2])
            }
        }
    }

    /// A broker that is there and says no is passed over like one that is not: the next one may say yes.
    @Test func aBrokerThatRefusesIsPassedOverToo() throws {
        try HolderFixture.run { holder in
            let (first, second) = (ScriptedSource(holder.time), ScriptedSource(holder.time, seed: 2))
            first.change { $0.onIssue = { _ in throw LeaseError(.unknownMount, "nothing is mounted there") } }
            let route = LeaseRoute<String, Int>(first, then: [second], sharesLeases: false)
            let credential = RotatingCredential("app", through: route, on: holder.scheduler)
            try await holder.waitUntil("the second broker is asked", within: 300) { credential.current != nil }
            #expect(second.issued.count == 1 && first.issued.isEmpty)
        }
    }
}
