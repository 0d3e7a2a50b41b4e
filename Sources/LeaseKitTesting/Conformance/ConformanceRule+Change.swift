// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ConformanceRule {
    static let change: [ConformanceRule] = [
        ConformanceRule("activation is a compare-and-set") { bench in
            let record = try await bench.added(bench.insertion())
            var stale = LeaseActivation(handle: [], expiresAt: record.expiresAt, generation: record.generation + 1)
            bench.expect(
                try await bench.update(record.id, .activate(stale)), isRefused: .generationChanged(record.generation))
            stale.generation = record.generation
            let active = try bench.applied(await bench.update(record.id, .activate(stale)), "the activation")
            bench.expect(active.generation > record.generation, "a higher generation")
            bench.expect(try await bench.update(record.id, .activate(stale)), isRefused: .wrongState(.active))
        },
        ConformanceRule("activation after the deadline is too late") { bench in
            let record = try await bench.added(bench.insertion())
            bench.pass(30)
            bench.expect(try await bench.update(record.id, bench.activation(record)), isRefused: .tooLate)
        },
        ConformanceRule("activation fails under an order, expanded or not") { bench in
            let record = try await bench.added(bench.insertion())
            let order = try await bench.place(bench.order(.prefix("db"))).order
            bench.expect(try await bench.update(record.id, bench.activation(record)), isRefused: .covered(order.id))
            _ = try await bench.store.expand(order.id, limit: 10, bench.context())
            let found = try await bench.find(record.id)
            bench.expectEqual(found?.state, .pending, "a covered pending lease is")
            let activation = bench.activation(found ?? record)
            bench.expect(try await bench.update(record.id, activation), isRefused: .covered(order.id))
        },
        ConformanceRule("activation fails when the parent went") { bench in
            let parent = try await bench.active("db/p") { $0.expiresAt = bench.now + .seconds(9) }
            var insertion = bench.insertion(under: parent.id)
            insertion.expiresAt = parent.expiresAt
            let child = try await bench.added(insertion)
            bench.pass(9)
            let activation = LeaseActivation(
                handle: [], expiresAt: bench.now + .seconds(5), generation: child.generation)
            bench.expect(try await bench.update(child.id, .activate(activation)), isRefused: .parentNotActive)
        },
        ConformanceRule("an extension is a compare-and-set on an active lease") { bench in
            let record = try await bench.active()
            let later = record.expiresAt + .seconds(60)
            bench.expect(
                try await bench.update(record.id, .extend(LeaseExtension(expiresAt: later, generation: 99))),
                isRefused: .generationChanged(record.generation)
            )
            let change = LeaseExtension(expiresAt: later, generation: record.generation)
            let extended = try bench.applied(await bench.update(record.id, .extend(change)), "the extension")
            bench.expectEqual(extended.expiresAt, later, "end")
            bench.expectEqual(extended.lastRenewedAt, bench.now, "renewal time")
            bench.pass(10_000)
            let late = LeaseExtension(expiresAt: bench.now + .seconds(9), generation: extended.generation)
            bench.expect(try await bench.update(record.id, .extend(late)), isRefused: .tooLate)
        },
        ConformanceRule("an extension never passes the parent") { bench in
            let parent = try await bench.active("db/p")
            let child = try await bench.active(under: parent.id)
            let change = LeaseExtension(expiresAt: parent.expiresAt + .seconds(1), generation: child.generation)
            bench.expect(
                try await bench.update(child.id, .extend(change)), isRefused: .beyondParent(parent.expiresAt))
        },
        ConformanceRule("an extension shortens only when it may") { bench in
            let record = try await bench.active()
            var change = LeaseExtension(expiresAt: bench.now + .seconds(60), generation: record.generation)
            bench.expect(
                try await bench.update(record.id, .extend(change)), isRefused: .wouldShorten(record.expiresAt))
            change.mayShorten = true
            let shortened = try await bench.update(record.id, .extend(change)).record
            bench.expectEqual(shortened?.expiresAt, change.expiresAt, "end")
            bench.expectEqual(
                try await bench.store.nextDue([bench.mount], .everything).value, [change.expiresAt], "next due")
        },
        ConformanceRule("the last use ends a lease") { bench in
            let record = try await bench.active { $0.fields.usesLeft = 2 }
            bench.expectEqual(try await bench.update(record.id, .consumeUse).record?.usesLeft, 1, "uses left")
            bench.expectEqual(try await bench.update(record.id, .consumeUse).record?.state, .revoking, "state")
            bench.expect(try await bench.update(record.id, .consumeUse), isRefused: .wrongState(.revoking))
            bench.expectEqual(try await bench.claim(1, .ordered).map(\.record.id), [record.id], "handed out")
        },
        ConformanceRule("a detached lease stands alone") { bench in
            let parent = try await bench.active("db/p")
            let child = try await bench.active(under: parent.id)
            bench.expect(try await bench.update(child.id, .detach).record?.parent == nil, "no parent")
            bench.expectEqual(try await bench.store.counts(.children(parent.id)).value.total, 0, "children")
            let order = try await bench.placeAndExpand(bench.order(.tree(parent.id)))
            bench.expectEqual(order.progress.covered, 1, "covered")
            bench.expectEqual(try await bench.find(child.id)?.state, .active, "the child is")
        },
        ConformanceRule("the id of the operation is on the record") { bench in
            let insertion = bench.insertion()
            let context = bench.context()
            _ = try await bench.store.apply([.insert(insertion)], context)
            bench.expectEqual(try await bench.find(insertion.id)?.operation, context.operation, "operation")
        },
        ConformanceRule("a lease that is not there is not found") { bench in
            bench.expect(try await bench.update(bench.newID(), .consumeUse), isRefused: .notFound)
            bench.expect(try await bench.find(bench.newID()) == nil, "nothing")
        },
        ConformanceRule("a lost renewal leaves a doubt") { bench in
            let record = try await bench.active()
            let doubted = try await bench.update(record.id, .doubt(handle: [9], isAmbiguous: true)).record
            bench.expect(doubted?.needsConfirmation == true && doubted?.handle == [9], "the handle and the doubt")
        },
    ]
}
