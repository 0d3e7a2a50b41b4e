// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ConformanceRule {
    private static let failure = LeaseFailure(code: "test", message: "made up")

    static let worker: [ConformanceRule] = [
        ConformanceRule("nothing is handed out before it is due") { bench in
            let record = try await bench.active()
            bench.pass(599)
            bench.expect(try await bench.claim().isEmpty, "nothing")
            bench.pass(1)
            let handed = try await bench.claim()
            bench.expectEqual(handed.map(\.record.id), [record.id], "handed out")
            bench.expectEqual(handed.first?.record.state, .revoking, "state")
            bench.expectEqual(handed.first?.record.cause?.reason, .expired, "reason")
        },
        ConformanceRule("a renewal that came first wins") { bench in
            let record = try await bench.active()
            let change = LeaseExtension(expiresAt: bench.now + .seconds(900), generation: record.generation)
            _ = try await bench.update(record.id, .extend(change))
            bench.pass(700)
            bench.expect(try await bench.claim().isEmpty, "nothing to hand out")
        },
        ConformanceRule("ordered ones first, then the longest overdue, and no more than there is room") { bench in
            let late = try await bench.active { $0.expiresAt = bench.now + .seconds(20) }
            let early = try await bench.active { $0.expiresAt = bench.now + .seconds(10) }
            let ordered = try await bench.active()
            bench.pass(30)
            _ = try await bench.place(bench.order(.lease(ordered.id)))
            bench.expectEqual(try await bench.claim(1).map(\.record.id), [ordered.id], "first")
            bench.expectEqual(try await bench.claim(1).map(\.record.id), [early.id], "second")
            bench.expectEqual(try await bench.claim(5).map(\.record.id), [late.id], "third")
        },
        ConformanceRule("in hold-off only orders are handed out") { bench in
            _ = try await bench.active()
            bench.pass(700)
            bench.expect(try await bench.claim(9, .ordered).isEmpty, "nothing by time")
            bench.expectEqual(try await bench.store.nextDue([bench.mount], .ordered).value, [nil], "next ordered")
        },
        ConformanceRule("a claim lapses, and its writes then lose") { bench in
            let record = try await bench.active()
            bench.pass(600)
            guard let first = try await bench.claim().first?.record.claim else {
                return bench.expect(false, "a lease to be handed out")
            }
            bench.expect(try await bench.claim().isEmpty, "nothing while it is claimed")
            bench.pass(60)
            guard let second = try await bench.claim().first?.record.claim else {
                return bench.expect(false, "the lease to be handed out again")
            }
            bench.expect(second.rawValue > first.rawValue, "a higher claim")
            bench.expect(try await bench.update(record.id, .remove(first, .revoked)), isRefused: .claimLost)
            bench.expect(try await bench.update(record.id, .remove(second, .revoked)).record != nil, "it to be removed")
        },
        ConformanceRule("a lapsed claim still writes while nobody else has claimed") { bench in
            let record = try await bench.active()
            bench.pass(600)
            let claim = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            bench.pass(61)
            bench.expect(try await bench.update(record.id, .remove(claim, .revoked)).record != nil, "it to be removed")
            bench.expect(try await bench.find(record.id) == nil, "it to be gone")
        },
        ConformanceRule("a pending lease is handed out at its deadline, and settles") { bench in
            let record = try await bench.added(bench.insertion())
            bench.pass(29)
            bench.expect(try await bench.claim().isEmpty, "nothing before the deadline")
            bench.pass(1)
            let handed = try await bench.claim()
            bench.expectEqual(handed.first?.record.state, .settling, "state")
            bench.expectEqual(handed.first?.record.issueDeadline, record.due, "issue deadline")
            let claim = handed.first?.record.claim ?? LeaseClaim(rawValue: 1)
            let again = bench.now + .seconds(7)
            bench.expectEqual(
                try await bench.update(record.id, .settle(claim, due: again)).record?.state, .settling, "state")
            bench.expectEqual(try await bench.store.nextDue([bench.mount], .everything).value, [again], "next due")
        },
        ConformanceRule("a lease that was given up is due at once") { bench in
            let quiet = try await bench.added(bench.insertion())
            let busy = try await bench.added(bench.insertion())
            let over = LeaseHandOver(handle: [4], mayBeInFlight: false)
            bench.expectEqual(try await bench.update(quiet.id, .handOver(over)).record?.state, .revoking, "state")
            let flying = LeaseHandOver(handle: nil, mayBeInFlight: true)
            bench.expectEqual(try await bench.update(busy.id, .handOver(flying)).record?.state, .settling, "state")
            bench.expectEqual(try await bench.claim().count, 2, "handed out")
        },
        ConformanceRule("a parent waits for a child that needs it") { bench in
            let parent = try await bench.active("db/p")
            let child = try await bench.active(under: parent.id) {
                $0.needsParent = true
                $0.expiresAt = bench.now + .seconds(900)
                $0.bindsToParent = false
            }
            bench.pass(600)
            bench.expect(try await bench.claim().isEmpty, "nothing while the child is there")
            _ = try await bench.update(child.id, .remove(nil, .abandoned))
            bench.pass(60)
            bench.expectEqual(try await bench.claim().map(\.record.id), [parent.id], "handed out")
        },
        ConformanceRule("a parent's record stays until the last child is gone") { bench in
            let root = try await bench.active("db/p")
            let parent = try await bench.active("db/p", under: root.id)
            let child = try await bench.active(under: parent.id) { $0.bindsToParent = false }
            bench.pass(600)
            for claimed in try await bench.claim() where claimed.record.id != child.id {
                bench.expect(claimed.hasChildren, "it to have children")
                let claim = claimed.record.claim ?? LeaseClaim(rawValue: 1)
                let last = try await bench.update(claimed.record.id, .remove(claim, .revoked)).record
                bench.expectEqual(last?.isHollow, true, "hollow")
            }
            bench.expect(try await bench.find(root.id) != nil, "the record to stay")
            bench.expectEqual(try await bench.store.counts(.all).value.total, 3, "leases")
            let claim = try await bench.find(child.id)?.claim
            _ = try await bench.update(child.id, .remove(claim, claim == nil ? .abandoned : .revoked))
            bench.expectEqual(try await bench.store.counts(.all).value.total, 0, "leases")
        },
        ConformanceRule("a failed attempt is charged, a released claim is not") { bench in
            let record = try await bench.active()
            bench.pass(600)
            var claim = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            let again = bench.now + .seconds(3)
            let released = try await bench.update(record.id, .release(claim, due: again)).record
            bench.expectEqual(released?.attempts, 0, "attempts")
            bench.pass(3)
            claim = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            let stuck = try await bench.update(
                record.id, .attempt(claim, failure, due: bench.now + .seconds(500), isStuck: true)
            ).record
            bench.expectEqual(stuck?.attempts, 1, "attempts")
            bench.expectEqual(stuck?.state, .stuck, "state")
            bench.expect(try await bench.claim().isEmpty, "nothing before its time")
            bench.expectEqual(try await bench.update(record.id, .rearm).record?.state, .revoking, "state")
            bench.expectEqual(try await bench.claim().count, 1, "handed out")
        },
        ConformanceRule("a quarantined lease is never handed out until it is re-armed") { bench in
            let record = try await bench.active()
            bench.expectEqual(
                try await bench.update(record.id, .quarantine(nil, failure)).record?.state, .quarantined, "state")
            bench.pass(100_000)
            bench.expect(try await bench.claim().isEmpty, "nothing")
            bench.expectEqual(try await bench.store.nextDue([bench.mount], .everything).value, [nil], "next due")
            _ = try await bench.update(record.id, .rearm)
            bench.expectEqual(try await bench.claim().count, 1, "handed out")
        },
        ConformanceRule("a lease that ends by itself is looked at when it has") { bench in
            let record = try await bench.active()
            bench.pass(600)
            let claim = try await bench.claim().first?.record.claim ?? LeaseClaim(rawValue: 1)
            let until = bench.now + .seconds(100)
            bench.expectEqual(try await bench.update(record.id, .end(claim, until: until)).record?.state, .ending, "state")
            bench.pass(99)
            bench.expect(try await bench.claim().isEmpty, "nothing before")
            bench.pass(1)
            bench.expectEqual(try await bench.claim().first?.record.state, .ending, "state")
        },
        ConformanceRule("a lease with children is not abandoned") { bench in
            let parent = try await bench.active("db/p")
            _ = try await bench.active(under: parent.id)
            bench.expect(try await bench.update(parent.id, .remove(nil, .abandoned)), isRefused: .hasChildren)
            bench.expect(try await bench.update(parent.id, .remove(nil, .revoked)), isRefused: .claimLost)
        },
    ]
}
