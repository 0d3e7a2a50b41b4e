// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ConformanceRule {
    static let reading: [ConformanceRule] = [
        ConformanceRule("pages hold every lease once") { bench in
            var ids: Set<LeaseID> = []
            for number in 0..<25 { ids.insert(try await bench.active("db/p\(number % 7)").id) }
            var seen: [LeaseID] = []
            var cursor: LeaseCursor?
            repeat {
                let page = try await bench.store.page(.all, after: cursor, limit: 4).value
                seen += page.records.map(\.id)
                cursor = page.next
            } while cursor != nil && seen.count < 100
            bench.expectEqual(seen.count, 25, "leases")
            bench.expect(Set(seen) == ids, "every lease")
        },
        ConformanceRule("a cursor stays good when its lease goes") { bench in
            var ids: [LeaseID] = []
            for _ in 0..<6 { ids.append(try await bench.active().id) }
            let first = try await bench.store.page(.all, after: nil, limit: 2).value
            for record in first.records { _ = try await bench.update(record.id, .remove(nil, .abandoned)) }
            let rest = try await bench.store.page(.all, after: first.next, limit: 10).value
            bench.expectEqual(rest.records.count, 4, "leases left")
        },
        ConformanceRule("a cursor of another query is refused") { bench in
            for _ in 0..<4 { _ = try await bench.active() }
            let page = try await bench.store.page(.all, after: nil, limit: 1).value
            for cursor in [page.next, LeaseCursor(text: "nonsense")] {
                do {
                    let other = LeaseQuery(prefix: "db/app")
                    _ = try await bench.store.page(other, after: cursor, limit: 1)
                    bench.expect(false, "an invalid cursor", "a page")
                } catch let error as LeaseError {
                    bench.expectEqual(error.code, .invalidCursor, "code")
                }
            }
        },
        ConformanceRule("a page has a bounded size") { bench in
            for limit in [0, LeasePage.maximumSize + 1] {
                do {
                    _ = try await bench.store.page(.all, after: nil, limit: limit)
                    bench.expect(false, "a limit of \(limit) to be refused", "a page")
                } catch let error as LeaseError {
                    bench.expectEqual(error.code, .invalidRequest, "code")
                }
            }
        },
        ConformanceRule("counts agree with the pages") { bench in
            let parent = try await bench.active("db/p") { $0.fields.owner = "ann" }
            _ = try await bench.active(under: parent.id)
            _ = try await bench.added(bench.insertion())
            let scopes: [(LeaseCountScope, LeaseQuery)] = [
                (.all, .all), (.mount(bench.mount), LeaseQuery(mount: bench.mount)),
                (.owner("ann"), LeaseQuery(owner: "ann")), (.children(parent.id), LeaseQuery(parent: parent.id)),
                (.path("db/p"), LeaseQuery(prefix: "db/p")),
            ]
            for (scope, query) in scopes {
                var expected = LeaseCounts()
                for record in try await bench.store.page(query, after: nil, limit: 100).value.records {
                    expected[record.state] += 1
                }
                bench.expectEqual(try await bench.store.counts(scope).value, expected, "counts of \(scope)")
                bench.expect(expected.total > 0, "something to count for \(scope)")
            }
        },
        ConformanceRule("what is found comes in the order it was asked for") { bench in
            let first = try await bench.active().id
            let second = try await bench.active().id
            let found = try await bench.store.find([second, bench.newID(), first, second]).value
            bench.expectEqual(found.map { $0?.id }, [second, nil, first, second], "leases")
        },
    ]

    static let life: [ConformanceRule] = [
        ConformanceRule("opening again frees what others had in their hands, on a store with one owner") { bench in
            let pending = try await bench.added(bench.insertion())
            let active = try await bench.active()
            _ = try await bench.place(bench.order(.lease(active.id)), claimUntil: bench.now + .seconds(500))
            let before = bench.opening.incarnation
            bench.opening = try await bench.store.open(at: ModelRun.reading(bench.now))
            bench.expect(bench.opening.incarnation > before, "a later incarnation")
            let ids = Set(try await bench.claim().map(\.record.id))
            bench.expectEqual(ids, bench.store.traits.isExclusive ? [pending.id, active.id] : [], "handed out")
        },
        ConformanceRule("a path has one mount") { bench in
            let again = try await bench.store.register(path: "db", kind: "other", bench.context()).value
            bench.expectEqual(again.id, bench.mount, "mount")
            bench.expectEqual(again.kind, "test", "kind")
            bench.expectEqual(try await bench.store.mounts().value.map(\.id), [bench.mount], "mounts")
        },
        ConformanceRule("a fingerprint is a compare-and-set") { bench in
            let (store, mount) = (bench.store, bench.mount)
            bench.expect(try await store.adopt("x", for: mount, expected: nil, bench.context()).value, "the first")
            bench.expect(!(try await store.adopt("y", for: mount, expected: nil, bench.context()).value), "no other")
            bench.expect(try await store.adopt("y", for: mount, expected: "x", bench.context()).value, "the next")
            bench.expectEqual(try await store.mounts().value.first?.fingerprint, "y", "fingerprint")
        },
        ConformanceRule("a mount with leases is not forgotten") { bench in
            let record = try await bench.active()
            bench.expect(!(try await bench.store.unregister(bench.mount, bench.context()).value), "it to be kept")
            _ = try await bench.update(record.id, .remove(nil, .abandoned))
            bench.expect(try await bench.store.unregister(bench.mount, bench.context()).value, "it to be forgotten")
            bench.expect(try await bench.store.mounts().value.isEmpty, "no mount")
            let next = try await bench.store.register(path: "db", kind: "test", bench.context()).value
            bench.expect(next.id != bench.mount, "a number of its own for the next mount there")
        },
        ConformanceRule("a mount's state is a compare-and-set") { bench in
            bench.expect(try await bench.store.loadState(bench.mount, key: "k").value == nil, "nothing")
            bench.expectEqual(try await bench.save(0, [1]), 1, "version")
            bench.expectEqual(try await bench.save(0, [2]), nil, "version")
            bench.expectEqual(try await bench.save(1, [3]), 2, "version")
            let expected = MountState(version: 2, bytes: [3], due: bench.now)
            bench.expectEqual(try await bench.store.loadState(bench.mount, key: "k").value, expected, "state")
            bench.expect(try await bench.save(2, nil) != nil, "it to be deleted")
            bench.expect(try await bench.store.loadState(bench.mount, key: "k").value == nil, "nothing again")
        },
        ConformanceRule("texts are told apart by their bytes, however alike they look") { bench in
            // A letter with its accent, and the same letter with an accent after it: one text to Swift, two to everybody else.
            let (one, other) = ("caf\u{E9}", "cafe\u{301}")
            let (store, mount) = (bench.store, bench.mount)
            let parent = try await bench.active()
            for owner in [one, other] {
                _ = try await bench.active("db/\(owner)", under: parent.id) { $0.fields.owner = owner }
            }
            for owner in [one, other] {
                let queries = [
                    LeaseQuery(owner: owner), LeaseQuery(parent: parent.id, owner: owner),
                    LeaseQuery(mount: mount, owner: owner), LeaseQuery(prefix: "db/\(owner)"),
                ]
                for query in queries {
                    let records = try await store.page(query, after: nil, limit: 10).value.records
                    bench.expectEqual(records.map { Array($0.path.utf8) }, [Array("db/\(owner)".utf8)], "\(query)")
                }
            }
            for (key, bytes) in [(one, [1] as [UInt8]), (other, [2])] {
                let reply = try await store.saveState(
                    mount,
                    key: key,
                    expectedVersion: 0,
                    bytes: bytes,
                    due: nil,
                    bench.context()
                )
                bench.expectEqual(reply.value, 1, "version of a key of its own")
            }
            bench.expectEqual(try await store.loadState(mount, key: one).value?.bytes, [1], "state")
        },
        ConformanceRule("the observed time comes back at the next opening") { bench in
            let observed = ObservedTime(time: bench.now, bootID: "boot", continuous: .seconds(5))
            try await bench.store.record(observed)
            let opening = try await bench.store.open(at: ModelRun.reading(bench.now))
            bench.expectEqual(opening.observed, observed, "observed time")
        },
        ConformanceRule("an epoch begins, and every one that was lived is remembered") { bench in
            let epoch = try await bench.store.beginEpoch(bench.context()).value
            bench.expect(epoch > bench.opening.epoch, "a later epoch")
            let opening = try await bench.store.open(at: ModelRun.reading(bench.now))
            bench.expectEqual(opening.epoch, epoch, "epoch")
            bench.expect(opening.livedEpochs.isSuperset(of: [epoch, bench.opening.epoch]), "both epochs")
            bench.expectEqual(opening.deployment, bench.opening.deployment, "deployment")
            bench.expectEqual(opening.doubts, [], "doubts")
        },
        ConformanceRule("a void incarnation writes no more, on a store with one owner") { bench in
            guard bench.store.traits.isExclusive else { return }
            let old = bench.opening.incarnation
            _ = try await bench.store.open(at: ModelRun.reading(bench.now))
            do {
                _ = try await bench.store.apply([.insert(bench.insertion())], bench.context(incarnation: old))
                bench.expect(false, "the store to be unavailable", "an answer")
            } catch let error as StoreError {
                bench.expectEqual(error.kind, .unavailable, "kind")
            }
        },
        ConformanceRule("a closed store takes no writes") { bench in
            await bench.store.close(bench.opening.incarnation)
            do {
                _ = try await bench.store.apply([.insert(bench.insertion())], bench.context())
                bench.expect(false, "the store to be unavailable", "an answer")
            } catch let error as StoreError {
                bench.expectEqual(error.kind, .unavailable, "kind")
            }
        },
    ]
}
