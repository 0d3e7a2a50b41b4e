// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite("In-memory lease store")
struct InMemoryLeaseStoreTests {
    private static let now = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    private static let reading = TimeReading(wall: now, continuous: .zero, suspending: .zero, bootID: "boot")

    private func context(_ incarnation: Incarnation) -> StoreContext {
        StoreContext(now: Self.now, operation: 1, incarnation: incarnation, cause: LeaseCause(.requested))
    }

    private func insertion(_ number: UInt64, path: String = "db/app") -> LeaseInsertion {
        LeaseInsertion(
            id: LeaseID(high: number, low: number),
            mount: MountID(rawValue: 1),
            path: path,
            handle: [1],
            issuedAt: Self.now,
            expiresAt: Self.now + .seconds(60),
            deadline: Self.now + .seconds(9)
        )
    }

    @Test func saysWhatItIs() {
        let store = InMemoryLeaseStore()
        #expect(!store.traits.isDurable)
        #expect(store.traits.isImmediate && store.traits.isExclusive && store.traits.hasExactQuotas)
        #expect(InMemoryLeaseStore(simulatedDurability: true).traits.isDurable)
        #expect(!InMemoryLeaseStore(isExclusive: false).traits.isExclusive)
    }

    @Test func deploymentIsRandomUnlessGiven() async throws {
        let entropy = LeaseEntropy { 7 }
        let drawn = try await InMemoryLeaseStore(entropy: entropy).open(at: Self.reading).deployment
        #expect(drawn == LeaseID(high: 7, low: 7).text)
        let given = try await InMemoryLeaseStore(deployment: "mine").open(at: Self.reading).deployment
        #expect(given == "mine")
    }

    @Test func backupIsIndependentAndInDoubtUntilANewEpoch() async throws {
        let store = InMemoryLeaseStore(simulatedDurability: true)
        let opening = try await store.open(at: Self.reading)
        _ = try await store.apply([.insert(insertion(1))], context(opening.incarnation))
        let backup = store.backup()
        _ = try await store.apply([.insert(insertion(2))], context(opening.incarnation))
        let restored = try await backup.open(at: Self.reading)
        #expect(restored.doubts == [.restoredBackup])
        #expect(restored.deployment == opening.deployment)
        #expect(restored.incarnation > opening.incarnation)
        #expect(try await backup.counts(.all).value.total == 1)
        #expect(try await backup.open(at: Self.reading).doubts == [.restoredBackup], "it is asked until it is answered")
        let last = try await backup.open(at: Self.reading)
        _ = try await backup.beginEpoch(context(last.incarnation))
        #expect(try await backup.open(at: Self.reading).doubts.isEmpty)
        #expect(try await store.unmarkedCopy().open(at: Self.reading).doubts.isEmpty)
    }

    @Test func copyHoldsOrdersTreesClaimsAndMounts() async throws {
        let store = InMemoryLeaseStore(simulatedDurability: true)
        let context = context(try await store.open(at: Self.reading).incarnation)
        let mount = try await store.register(path: "db", kind: "test", context).value
        var parent = insertion(1)
        parent.kind = .session
        var child = insertion(2, path: "db/below")
        child.parent = parent.id
        _ = try await store.apply([.insert(parent), .insert(child)], context)
        let order = RevocationOrder(
            id: RevocationOrderID(rawValue: 5),
            selection: .tree(parent.id),
            cause: LeaseCause(.requested),
            placedAt: Self.now
        )
        _ = try await store.place(order, claimUntil: nil, context)
        let copy = store.unmarkedCopy()
        let again = self.context(try await copy.open(at: Self.reading).incarnation)
        #expect(try await copy.mounts().value == [mount])
        #expect(try await copy.expand(order.id, limit: 10, again).value.progress.covered == 2)
        #expect(try await store.orders([order.id]).value[0]?.progress.covered == 1, "the original is untouched")
        #expect(try await copy.page(LeaseQuery(parent: parent.id), after: nil, limit: 9).value.records.count == 1)
    }

    @Test func sharedStoreVoidsNothingAndLetsEveryoneWrite() async throws {
        let store = InMemoryLeaseStore(isExclusive: false)
        let first = try await store.open(at: Self.reading).incarnation
        _ = try await store.apply([.insert(insertion(1))], context(first))
        _ = try await store.open(at: Self.reading)
        #expect(try await store.find([insertion(1).id]).value[0]?.generation == 1)
        #expect(try await store.apply([.insert(insertion(2))], context(first)).value[0].record != nil)
    }

    @Test func writesBeforeOpeningAndAfterClosingNameTheFix() async throws {
        let store = InMemoryLeaseStore()
        let early = await #expect(throws: StoreError.self) {
            try await store.beginEpoch(context(Incarnation(rawValue: 1)))
        }
        #expect(early?.kind == .unavailable)
        #expect(early?.message.contains("open(at:)") == true)
        let incarnation = try await store.open(at: Self.reading).incarnation
        await store.close(incarnation)
        let late = await #expect(throws: StoreError.self) { try await store.beginEpoch(context(incarnation)) }
        #expect(late?.kind == .unavailable)
        #expect(try await store.counts(.all).value.total == 0, "it can still be read")
    }

    @Test func completeOrdersAreForgottenInTheOrderOfTheirCompletion() async throws {
        let store = InMemoryLeaseStore()
        let context = context(try await store.open(at: Self.reading).incarnation)
        for number in UInt64(1)...5_000 {
            let order = RevocationOrder(
                id: RevocationOrderID(rawValue: number),
                selection: .lease(LeaseID(high: 9, low: 9)),
                cause: LeaseCause(.requested),
                placedAt: Self.now
            )
            _ = try await store.place(order, claimUntil: nil, context)
        }
        let known = try await store.orders([904, 905, 5_000].map { RevocationOrderID(rawValue: $0) }).value
        #expect(known.map { $0 != nil } == [false, true, true])
    }

    @Test func manyLeasesComeAndGoThroughEveryIndex() async throws {
        let store = InMemoryLeaseStore()
        let context = context(try await store.open(at: Self.reading).incarnation)
        var random = TestRandom(seed: 5)
        var live: Set<UInt64> = []
        for round in UInt64(1)...6_000 {
            if random.next() % 3 > 0 {
                var new = insertion(round, path: "db/p\(random.next() % 700)")
                new.role = Array("role \(random.next() % 5)".utf8)
                new.fields.owner = "owner \(random.next() % 3)"
                new.fields.requestID = "request \(round)"
                _ = try await store.apply([.insert(new)], context)
                live.insert(round)
            } else if let gone = live.randomElement(using: &random) {
                let id = insertion(gone).id
                #expect(try await store.apply([.update(id, .remove(nil, .abandoned))], context).value[0].record != nil)
                live.remove(gone)
            }
        }
        for query in [LeaseQuery.all, LeaseQuery(state: .pending), LeaseQuery(mount: MountID(rawValue: 1))] {
            var seen: [UInt64] = []
            var cursor: LeaseCursor?
            repeat {
                let page = try await store.page(query, after: cursor, limit: 100).value
                seen += page.records.map(\.id.low)
                cursor = page.next
            } while cursor != nil
            #expect(seen.count == live.count && Set(seen) == live)
        }
        let owners = try await ["owner 0", "owner 1", "owner 2"].asyncMap {
            try await store.counts(.owner($0)).value.total
        }
        #expect(owners.reduce(0, +) == live.count)
        for number in live {
            _ = try await store.apply([.update(insertion(number).id, .remove(nil, .abandoned))], context)
        }
        #expect(try await store.counts(.all).value.total == 0)
        #expect(try await store.nextDue([MountID(rawValue: 1)], .everything).value == [nil])
    }

    @Test func otherSpellingsOfTheSameCharactersAreOtherPaths() async throws {
        let store = InMemoryLeaseStore()
        let context = context(try await store.open(at: Self.reading).incarnation)
        let composed = "db/caf\u{E9}"
        let decomposed = "db/cafe\u{301}"
        _ = try await store.apply(
            [.insert(insertion(1, path: composed)), .insert(insertion(2, path: decomposed))],
            context
        )
        #expect(try await store.counts(.path(composed)).value.total == 1)
        #expect(try await store.page(LeaseQuery(prefix: decomposed), after: nil, limit: 9).value.records.count == 1)
    }

    /// A claim that lapses at once is a claim all the same: each lease is handed out once in a call.
    @Test(arguments: [Duration.zero, .seconds(-60)])
    func aClaimThatLapsesAtOnceHandsEachLeaseOutOnce(_ length: Duration) async throws {
        let store = InMemoryLeaseStore()
        let opening = try await store.open(at: Self.reading)
        _ = try await store.apply((1...3).map { .insert(insertion($0)) }, context(opening.incarnation))
        var later = context(opening.incarnation)
        later.now = Self.now + .seconds(100)
        let request = ClaimRequest(mount: MountID(rawValue: 1), room: 10, lapsesAt: later.now + length)
        for _ in 0..<2 {
            let claimed = try await store.claimDue(request, later).value
            #expect(claimed.map(\.record.id.low).sorted() == [1, 2, 3])
            #expect(Set(claimed.compactMap(\.record.claim)).count == 3)
            #expect(claimed.allSatisfy { $0.record.due == request.lapsesAt })
            let kept = try await store.find(claimed.map(\.record.id)).value
            #expect(kept.map { $0?.claim } == claimed.map(\.record.claim))
        }
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
