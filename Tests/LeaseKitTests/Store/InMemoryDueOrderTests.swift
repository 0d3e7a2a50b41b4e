// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// The in-memory store keeps what is due in heaps, and learns late what a row in hand has become; nobody may notice.
@Suite("Due order of the in-memory store")
struct InMemoryDueOrderTests {
    private static let start = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    private static let mount = MountID(rawValue: 1)

    private let store = InMemoryLeaseStore()
    private let incarnation: Incarnation

    init() async throws {
        let reading = TimeReading(wall: Self.start, continuous: .zero, suspending: .zero, bootID: "boot")
        incarnation = try await store.open(at: reading).incarnation
    }

    private func context(at seconds: Int64 = 0) -> StoreContext {
        StoreContext(now: time(seconds), operation: 1, incarnation: incarnation, cause: LeaseCause(.requested))
    }

    private func time(_ seconds: Int64) -> LeaseInstant { Self.start + .seconds(seconds) }

    private func insert(_ number: UInt64, until end: Int64, path: String = "db/app") async throws {
        var insertion = LeaseInsertion(
            id: LeaseID(high: number, low: number),
            mount: Self.mount,
            path: path,
            handle: [1],
            issuedAt: Self.start,
            expiresAt: time(end),
            deadline: time(9)
        )
        insertion.kind = .session
        _ = try #require(try await store.apply([.insert(insertion)], context()).value[0].record)
    }

    private func update(_ number: UInt64, _ update: LeaseUpdate) async throws -> LeaseRecord {
        let id = LeaseID(high: number, low: number)
        return try #require(try await store.apply([.update(id, update)], context()).value[0].record)
    }

    private func nextDue(_ scope: ClaimScope = .everything) async throws -> LeaseInstant? {
        try await store.nextDue([Self.mount], scope).value[0]
    }

    /// Orders the end of a lease and takes it in hand.
    private func takeInHand(_ number: UInt64) async throws -> ClaimedLease {
        let order = RevocationOrder(
            id: RevocationOrderID(rawValue: number << 1 | 1),
            selection: .lease(LeaseID(high: number, low: number)),
            cause: LeaseCause(.requested),
            placedAt: Self.start
        )
        return try #require(try await store.place(order, claimUntil: time(40), context()).value.claimed)
    }

    /// Enough rows come, go, and move to and fro that what they leave behind in the lists is swept many times over.
    @Test("what is due next is true however rows came, moved and went", arguments: UInt64(1)...4)
    func churn(seed: UInt64) async throws {
        var random = TestRandom(seed: seed)
        var ends: [UInt64: (end: Int64, generation: UInt32)] = [:]
        var numbers: [UInt64] = []
        for round in UInt64(1)...8_000 {
            let isGrowing = round % 2_000 < 1_000
            switch random.next() % 8 {
            case 0..<(isGrowing ? 3 : 1):
                let end = Int64(random.next() % 10_000) + 100
                try await insert(round, until: end, path: "db/p\(random.next() % 3)")
                ends[round] = (end, 1)
                numbers.append(round)
            case 3..<6:
                guard !numbers.isEmpty else { continue }
                let number = numbers[Int(random.next() % UInt64(numbers.count))]
                let known = try #require(ends[number])
                // Mostly later, as renewals are; sometimes earlier.
                let end =
                    random.next() % 4 > 0
                    ? known.end + Int64(random.next() % 5_000) : Int64(random.next() % 9_000) + 100
                let change = LeaseExtension(expiresAt: time(end), generation: known.generation, mayShorten: true)
                ends[number] = (end, try await update(number, .extend(change)).generation)
            default:
                guard !numbers.isEmpty else { continue }
                let number = numbers.remove(at: Int(random.next() % UInt64(numbers.count)))
                _ = try await update(number, .remove(nil, .abandoned))
                ends[number] = nil
            }
            if round % 10 == 0 {
                #expect(try await nextDue() == ends.values.map(\.end).min().map(time), "seed \(seed), round \(round)")
            }
        }
        let request = ClaimRequest(mount: Self.mount, room: .max, lapsesAt: time(1_000_000))
        let claimed = try await store.claimDue(request, context(at: 100_000)).value
        #expect(claimed.map(\.record.expiresAt) == ends.values.map(\.end).sorted().map(time), "seed \(seed)")
        #expect(try await nextDue() == (ends.isEmpty ? nil : time(1_000_000)), "seed \(seed)")
    }

    @Test("a row in hand is seen as what it is by every other call")
    func inHand() async throws {
        for number in UInt64(1)...3 { try await insert(number, until: 100 * Int64(number)) }
        let claimed = try await takeInHand(1)
        #expect(claimed.record.state == .revoking)
        let counts = try await store.counts(.mount(Self.mount)).value
        #expect(counts[.revoking] == 1 && counts[.active] == 2)
        #expect(try await nextDue(.ordered) == time(40), "when the claim lapses")

        _ = try await takeInHand(2)
        let revoking = try await store.page(LeaseQuery(state: .revoking), after: nil, limit: 9).value.records
        #expect(revoking.map(\.id.low) == [1, 2])

        _ = try await takeInHand(3)
        #expect(try await nextDue() == time(40))
        let late = try await store.claimDue(
            ClaimRequest(mount: Self.mount, room: 9, lapsesAt: time(90)),
            context(at: 50)
        ).value
        #expect(late.map(\.record.id.low) == [1, 2, 3], "the claims have lapsed")
    }

    @Test("a row in hand goes at once, or after other calls, and leaves nothing behind", arguments: [0, 1, 2])
    func gone(callsBetween: Int) async throws {
        try await insert(1, until: 100)
        let claim = try #require(try await takeInHand(1).record.claim)
        if callsBetween > 0 { try await insert(2, until: 200) }
        if callsBetween > 1 { _ = try await update(2, .remove(nil, .abandoned)) }
        let last = try await update(1, .remove(claim, .revoked))
        #expect(last.claim == nil)
        #expect(try await store.counts(.all).value.total == (callsBetween == 1 ? 1 : 0))
        #expect(try await nextDue() == (callsBetween == 1 ? time(200) : nil))
        #expect(try await nextDue(.ordered) == nil)
        #expect(try await store.page(LeaseQuery(state: .revoking), after: nil, limit: 9).value.records.isEmpty)
        let order = try #require(try await store.orders([RevocationOrderID(rawValue: 3)]).value[0])
        #expect(order.progress.isComplete && order.progress.revoked == 1)
    }

    @Test("a row in hand that is given back, or changed in vain, is in order")
    func givenBack() async throws {
        try await insert(1, until: 100)
        let claim = try #require(try await takeInHand(1).record.claim)
        let id = LeaseID(high: 1, low: 1)
        let refused = try await store.apply([.update(id, .rearm)], context()).value[0]
        #expect(refused.refusal == .claimLost)
        _ = try await update(1, .release(claim, due: time(7)))
        #expect(try await nextDue(.ordered) == time(7))
        #expect(try await store.counts(.all).value[.revoking] == 1)
        let again = try await store.claimDue(
            ClaimRequest(mount: Self.mount, room: 9, scope: .ordered, lapsesAt: time(90)),
            context(at: 8)
        ).value
        #expect(again.count == 1)
    }
}
