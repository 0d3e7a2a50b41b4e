// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct DenialPolicyTests {
    private static let start = Int64(1_800_000_000)

    private func session(_ number: Int, at time: Int64?, for length: Int64 = 3_600) -> DenialPolicy.Session {
        .init(
            lease: LeaseID(high: 3, low: UInt64(number)),
            issuedAt: time,
            endsAt: (time ?? Self.start) + length
        )
    }

    /// As AWS has it: the time may be a second off what is known here.
    private func fake(_ session: DenialPolicy.Session, off: Int64 = 0) -> FakeSession {
        let time = (session.issuedAt ?? Self.start) + off
        return FakeSession(
            role: "deploy",
            name: "lk-abc-deploy-\(session.lease)",
            issuedAt: LeaseInstant(secondsSinceEpoch: time),
            end: LeaseInstant(secondsSinceEpoch: session.endsAt)
        )
    }

    @Test func namesAreDeniedAndNobodyElse() {
        let sessions = (0..<3).map { session($0, at: Self.start + Int64($0)) }
        let text = DenialPolicy(naming: Array(sessions[0..<2])).text("lk-abc")
        #expect(fake(sessions[0]).isDenied(by: text) && fake(sessions[1]).isDenied(by: text))
        #expect(!fake(sessions[2]).isDenied(by: text))
    }

    @Test func whatLapsesTogetherStandsTogether() throws {
        let sessions = [
            session(0, at: Self.start), session(1, at: Self.start + 5), session(2, at: Self.start, for: 9_000),
        ]
        let policy = DenialPolicy(naming: sessions)
        let document = try PolicyDocument(policy.text("p"), "it")
        #expect(document.statementNames.count == 2)
        #expect(DenialPolicy.lapse(of: document) == policy.lapsesAt)
        #expect(try #require(policy.lapsesAt) >= Self.start + 9_300)
        let foreign = try PolicyDocument(World.document, "another one")
        #expect(DenialPolicy.lapse(of: foreign) == nil)
    }

    @Test func oneSpanTakesThePlaceOfAThousandNames() {
        let sessions = (0..<1_000).map { session($0, at: Self.start + Int64($0)) }
        let names = DenialPolicy(naming: sessions)
        #expect(names.text("lk-abc").utf8.count > 3 * DenialPolicy.mostBytes)
        let policy = names.compacted(.init())
        #expect(policy.spans.count == 1 && policy.names.isEmpty)
        #expect(policy.text("lk-abc").utf8.count < 400)
        #expect(policy.lapsesAt == names.lapsesAt)
    }

    @Test func aSpanHitsNoOtherProcessAndNothingLater() {
        let sessions = (0..<50).map { session($0, at: Self.start + Int64($0)) }
        let text = DenialPolicy(naming: sessions).compacted(.init()).text("lk-abc")
        let time = LeaseInstant(secondsSinceEpoch: Self.start + 20)
        let end = time + .seconds(3_600)
        let own = FakeSession(role: "deploy", name: "lk-abc-deploy-X", issuedAt: time, end: end)
        #expect(own.isDenied(by: text))
        for name in ["lk-abd-deploy-X", "lk-deploy-X", "alice"] {
            #expect(!FakeSession(role: "deploy", name: name, issuedAt: time, end: end).isDenied(by: text))
        }
        let later = LeaseInstant(secondsSinceEpoch: Self.start + 60)
        #expect(!FakeSession(role: "deploy", name: own.name, issuedAt: later, end: end).isDenied(by: text))
    }

    @Test func whatWasJustAskedForIsSpared() {
        let sessions = (0..<50).map { session($0, at: Self.start + Int64($0)) }
        let policy = DenialPolicy(naming: sessions).compacted(.init(times: [], since: Self.start + 30))
        #expect(policy.spans.allSatisfy { $0.last + 5 < Self.start + 30 })
        #expect(policy.names.count + 25 >= 50 && !policy.spans.isEmpty)
    }

    /// Whatever is to be over is denied, and nothing else of this process is, with every time a second off either way.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func noSessionIsHitThatIsSpared(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (over, spared): ([DenialPolicy.Session], [DenialPolicy.Session]) = ([], [])
        let (count, share, gap) = (random.index(below: 200), random.index(below: 30), 1 + random.index(below: 8))
        var time = Self.start
        for number in 0..<count {
            time += Int64(random.index(below: gap))
            let isSpared = random.index(below: 100) < share
            let isUnknown = !isSpared && random.index(below: 10) == 0
            let made = session(number, at: isUnknown ? nil : time, for: 900 + Int64(random.index(below: 30_000)))
            if isSpared { spared.append(made) } else { over.append(made) }
        }
        let policy = DenialPolicy(naming: over.shuffled(using: &random))
            .compacted(.init(times: spared.compactMap(\.issuedAt).sorted()))
        let text = policy.text("lk-abc")
        let denials = FakeDenials(text)
        for off in [-1, 0, 1] as [Int64] {
            let missed = over.filter { !fake($0, off: off).isDenied(by: denials) }
            let hit = spared.filter { fake($0, off: off).isDenied(by: denials) }
            #expect(missed.isEmpty && hit.isEmpty, "seed \(seed): \(missed.count) missed, \(hit.count) hit")
        }
        #expect(text.utf8.count <= DenialPolicy(naming: over).text("lk-abc").utf8.count + 400)
    }
}
