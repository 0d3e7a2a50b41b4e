// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ConformanceRule {
    static let order: [ConformanceRule] = [
        ConformanceRule("an order about one lease takes effect at once") { bench in
            let record = try await bench.active()
            let placement = try await bench.place(bench.order(.lease(record.id)), claimUntil: bench.now + .seconds(9))
            bench.expectEqual(placement.claimed?.record.id, record.id, "claimed")
            bench.expect(placement.order.progress.isExpanded, "it to be expanded")
            bench.expectEqual(try await bench.find(record.id)?.state, .revoking, "state")
            bench.expect(try await bench.claim().isEmpty, "nothing else to hand out")
        },
        ConformanceRule("placing twice is placing once") { bench in
            let record = try await bench.active()
            let order = bench.order(.lease(record.id))
            let until = bench.now + .seconds(9)
            _ = try await bench.place(order, claimUntil: until)
            let again = try await bench.place(order, claimUntil: until)
            bench.expect(again.claimed == nil, "no second claim")
            bench.expectEqual(again.order.progress.covered, 1, "covered")
        },
        ConformanceRule("an order about a lease with children is refused, about its tree it is not") { bench in
            let parent = try await bench.active("db/p")
            let child = try await bench.active(under: parent.id)
            let single = bench.order(.lease(parent.id))
            bench.expectEqual(try await bench.place(single).refusal, .hasChildren, "refusal")
            bench.expect(try await bench.order(single.id) == nil, "no trace of the refused order")
            let order = try await bench.placeAndExpand(bench.order(.tree(parent.id)))
            bench.expectEqual(order.progress.covered, 2, "covered")
            bench.expectEqual(try await bench.claim().map(\.record.id), [child.id], "the child first")
        },
        ConformanceRule("an order about a lease or tree of another mount than it says is refused") { bench in
            let record = try await bench.active()
            for selection in [LeaseSelection.lease(record.id), .tree(record.id)] {
                var order = bench.order(selection)
                order.mount = MountID(rawValue: bench.mount.rawValue + 1)
                let placement = try await bench.place(order, claimUntil: bench.now + .seconds(9))
                bench.expectEqual(placement.refusal, .notFound, "refusal")
                bench.expect(placement.claimed == nil, "nothing to be handed out")
                bench.expect(try await bench.order(order.id) == nil, "no trace of the refused order")
            }
            bench.expectEqual(try await bench.find(record.id)?.state, .active, "state")
            var order = bench.order(.tree(record.id))
            order.mount = bench.mount
            bench.expectEqual(try await bench.place(order).order.progress.covered, 1, "covered")
        },
        ConformanceRule("a lease below one that is ended and still on record is covered once") { bench in
            let parent = try await bench.active("db/a")
            let child = try await bench.active("db/a", under: parent.id) { $0.bindsToParent = false }
            bench.pass(600)
            for claimed in try await bench.claim() where claimed.record.id == parent.id {
                let claim = claimed.record.claim ?? LeaseClaim(rawValue: 1)
                _ = try await bench.update(parent.id, .remove(claim, .revoked))
            }
            bench.expectEqual(try await bench.find(parent.id)?.isHollow, true, "the parent hollow")
            let order = try await bench.placeAndExpand(bench.order(.prefix("db")))
            bench.expectEqual(order.progress.covered, 1, "covered")
            bench.expectEqual(try await bench.find(child.id)?.orders, [order.id], "orders of the child")
        },
        ConformanceRule("an order about a lease that is not there is complete") { bench in
            let placement = try await bench.place(bench.order(.tree(bench.newID())))
            bench.expect(placement.order.progress.isComplete, "it to be complete")
            bench.expectEqual(placement.order.progress.covered, 0, "covered")
        },
        ConformanceRule("what a tree order covers is refused before it is expanded") { bench in
            let root = try await bench.active("db/p")
            let middle = try await bench.active("db/p", under: root.id)
            let leaf = try await bench.active(under: middle.id)
            let order = try await bench.place(bench.order(.tree(root.id))).order
            let change = LeaseExtension(expiresAt: leaf.expiresAt + .seconds(1), generation: leaf.generation)
            bench.expect(try await bench.update(leaf.id, .extend(change)), isRefused: .covered(order.id))
            bench.expect(try await bench.insert(bench.insertion(under: middle.id)), isRefused: .parentNotActive)
        },
        ConformanceRule("an order covers nothing that came later") { bench in
            let old = try await bench.active()
            let order = try await bench.place(bench.order(.prefix("db"))).order
            let new = try await bench.active()
            _ = try await bench.store.expand(order.id, limit: 100, bench.context())
            bench.expectEqual(try await bench.find(old.id)?.state, .revoking, "the old one is")
            bench.expectEqual(try await bench.find(new.id)?.state, .active, "the new one is")
        },
        ConformanceRule("a closing order keeps new leases out until it is reopened") { bench in
            let order = try await bench.placeAndExpand(bench.order(.prefix("db/app"), isClosing: true))
            bench.expect(try await bench.insert(bench.insertion("db/app/x")), isRefused: .pathClosed(order.id))
            bench.expect(try await bench.insert(bench.insertion("db/apple")).record != nil, "a neighbour to go in")
            bench.expectEqual(try await bench.store.openOrders(limit: 9).value.map(\.id), [order.id], "open orders")
            bench.expect(try await bench.store.reopen(order.id, bench.context()).value, "it to be reopened")
            bench.expect(try await bench.insert(bench.insertion("db/app")).record != nil, "it to go in again")
            bench.expectEqual(try await bench.store.openOrders(limit: 9).value.map(\.id), [], "open orders")
            bench.expect(!(try await bench.store.reopen(order.id, bench.context()).value), "it only once")
        },
        ConformanceRule("a prefix is made of whole segments") { bench in
            let paths = ["db/app", "db/app/x", "db/apple", "db/app-x", "db"]
            var ids: [LeaseID] = []
            for path in paths { ids.append(try await bench.active(path).id) }
            _ = try await bench.placeAndExpand(bench.order(.prefix("db/app")))
            for (path, record) in zip(paths, try await bench.store.find(ids).value) {
                let isBelow = path == "db/app" || path == "db/app/x"
                bench.expectEqual(record?.state, isBelow ? .revoking : .active, "\(path) is")
            }
        },
        ConformanceRule("a prefix order takes along what hangs on its leases elsewhere") { bench in
            let parent = try await bench.active("db/p")
            let child = try await bench.active("db/elsewhere", under: parent.id)
            let order = try await bench.placeAndExpand(bench.order(.prefix("db/p")))
            bench.expectEqual(order.progress.covered, 2, "covered")
            bench.expectEqual(try await bench.find(child.id)?.state, .revoking, "the child is")
        },
        ConformanceRule("a mount order covers the mount alone") { bench in
            let other = try await bench.store.register(path: "aws", kind: "test", bench.context()).value.id
            let own = try await bench.active()
            let foreign = try await bench.active("aws/x") { $0.mount = other }
            _ = try await bench.placeAndExpand(bench.order(.mount(bench.mount)))
            bench.expectEqual(try await bench.find(own.id)?.state, .revoking, "its own is")
            bench.expectEqual(try await bench.find(foreign.id)?.state, .active, "the other is")
        },
        ConformanceRule("two orders that are expanded in turns both cover everything") { bench in
            let root = try await bench.active("db/p")
            for _ in 0..<6 { _ = try await bench.active(under: root.id) }
            var first = try await bench.place(bench.order(.tree(root.id))).order
            var second = try await bench.place(bench.order(.prefix("db"))).order
            for _ in 0..<60 {
                first = try await bench.store.expand(first.id, limit: 1, bench.context()).value
                second = try await bench.store.expand(second.id, limit: 1, bench.context()).value
            }
            bench.expectEqual([first.progress.covered, second.progress.covered], [7, 7], "covered")
            bench.expect(first.progress.isExpanded && second.progress.isExpanded, "both to be expanded")
        },
        ConformanceRule("a lease counts for every order that covers it, once") { bench in
            let record = try await bench.active()
            let first = try await bench.place(bench.order(.lease(record.id))).order
            let second = try await bench.placeAndExpand(bench.order(.prefix("db")))
            let claim = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            let failure = LeaseFailure(code: "test", message: "made up")
            _ = try await bench.update(record.id, .attempt(claim, failure, due: bench.now, isStuck: true))
            bench.expectEqual(try await bench.order(first.id)?.progress.stuck, 1, "stuck")
            let again = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            _ = try await bench.update(record.id, .remove(again, .notOurs))
            for id in [first.id, second.id] {
                let progress = try await bench.order(id)?.progress
                bench.expectEqual(progress?.notOurs, 1, "not ours")
                bench.expectEqual(progress?.stuck, 0, "stuck")
                bench.expectEqual(progress?.isComplete, true, "complete")
            }
            bench.expect(try await bench.store.openOrders(limit: 9).value.isEmpty, "no open order")
        },
        ConformanceRule("a lease that ends by itself completes its order, once") { bench in
            let record = try await bench.active()
            let placement = try await bench.place(bench.order(.lease(record.id)), claimUntil: bench.now + .seconds(9))
            let claim = placement.claimed?.record.claim ?? LeaseClaim(rawValue: 1)
            _ = try await bench.update(record.id, .end(claim, until: bench.now + .seconds(60)))
            bench.expectEqual(try await bench.order(placement.order.id)?.progress.isComplete, true, "complete")
            bench.pass(60)
            let again = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            _ = try await bench.update(record.id, .remove(again, .ended))
            bench.expectEqual(try await bench.order(placement.order.id)?.progress.ending, 1, "ending")
        },
        ConformanceRule("open orders come oldest first, those not expanded before the others") { bench in
            _ = try await bench.active()
            let first = try await bench.place(bench.order(.prefix("db"))).order.id
            let second = try await bench.place(bench.order(.mount(bench.mount))).order.id
            bench.expectEqual(
                try await bench.store.openOrders(limit: 9).value.map(\.id),
                [first, second],
                "open orders"
            )
            bench.expectEqual(try await bench.store.openOrders(limit: 1).value.map(\.id), [first], "open orders")
            _ = try await bench.store.expand(first, limit: 10, bench.context())
            bench.expectEqual(
                try await bench.store.openOrders(limit: 9).value.map(\.id),
                [second, first],
                "open orders after the first was expanded"
            )
        },
        ConformanceRule("a manager that lost the store to a later one closes nothing") { bench in
            let old = bench.opening.incarnation
            guard bench.store.traits.isExclusive else { return }
            bench.opening = try await bench.store.open(at: ModelRun.reading(bench.now))
            await bench.store.close(old)
            _ = try await bench.active()
        },
    ]
}
