// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ModelRun {
    /// Compares every record and every order.
    func compare() async throws {
        let seen = try await store.find(known).value
        findings.expectEqual(seen.count, known.count, "answers")
        for (id, seen) in zip(known, seen) {
            if let seen { model.follow(seen, at: now) }
            switch (seen, model.records[id]) {
            case (let seen?, let record?):
                if let difference = seen.difference(from: record) {
                    findings.note("\(id) as ruled", difference)
                }
            case (let seen?, nil): findings.note("\(id) to be gone", "it is \(seen.state)")
            case (nil, let record?): findings.note("\(id) to be \(record.state)", "it is gone")
            case (nil, nil): break
            }
        }
        let orders = try await store.orders(model.orders.map(\.id)).value
        for (seen, order) in zip(orders, model.orders) where seen != order {
            findings.note("order \(order)", seen.map { "\($0)" } ?? "no such order")
        }
    }

    /// Compares one of the ways to read.
    func read() async throws {
        switch random.next() % 4 {
        case 0: try await readCounts()
        case 1: try await readOpenOrders()
        case 2: try await readNextDue()
        default: try await readPages()
        }
    }

    private func readCounts() async throws {
        begin("counts")
        let path = model.records.values.map(\.path).min() ?? "a"
        let parent = known.last { model.tree.hasChildren($0) } ?? LeaseID(high: 1, low: 1)
        let scopes: [(LeaseCountScope, (LeaseRecord) -> Bool)] = [
            (.all, { _ in true }),
            (.mount(mounts[0].id), { [mount = mounts[0].id] in $0.mount == mount }),
            (.path(path), { $0.path == path }),
            (.owner("ann"), { $0.owner == "ann" }),
            (.children(parent), { $0.parent == parent }),
        ]
        for (scope, isCounted) in scopes {
            let seen = try await store.counts(scope).value
            findings.expectEqual(seen, model.count(isCounted), "counts of \(scope)")
        }
    }

    private func readOpenOrders() async throws {
        begin("openOrders")
        let open = model.orders.filter { !$0.progress.isComplete || $0.isClosing }.map(\.id)
        let limit = 1 + Int(random.next() % 8)
        let seen = try await store.openOrders(limit: limit).value.map(\.id)
        findings.expectEqual(seen, Array(open.prefix(limit)), "open orders")
    }

    private func readNextDue() async throws {
        begin("nextDue")
        for scope in [ClaimScope.everything, .ordered] {
            let seen = try await store.nextDue(mounts.map(\.id), scope).value
            let expected = mounts.map { mount in
                model.records.values.filter {
                    $0.mount == mount.id && $0.due != .distantFuture
                        && (scope == .everything || $0.urgency == .ordered)
                }.map(\.due).min()
            }
            findings.expectEqual(seen, expected, "next due for \(scope)")
        }
    }

    private func readPages() async throws {
        let queries: [LeaseQuery] = [
            .all, LeaseQuery(prefix: "a/b"), LeaseQuery(mount: mounts[0].id), LeaseQuery(owner: "bob"),
            LeaseQuery(state: .active), LeaseQuery(state: .revoking), LeaseQuery(prefix: "a", state: .pending),
            LeaseQuery(parent: known.last { model.tree.hasChildren($0) } ?? LeaseID(high: 1, low: 1)),
            LeaseQuery(order: model.orders.last?.id ?? RevocationOrderID(rawValue: 1)),
            LeaseQuery(prefix: "d", mount: mounts[1].id, owner: "ann"),
        ]
        guard let query = queries.randomElement(using: &random) else { return }
        begin("page \(query)")
        let limit = 1 + Int(random.next() % 5)
        var ids: [LeaseID] = []
        var cursor: LeaseCursor?
        for _ in 0..<1_000 {
            let page = try await store.page(query, after: cursor, limit: limit).value
            findings.expect(page.records.count <= limit, "at most \(limit) leases", "\(page.records.count)")
            ids += page.records.map(\.id)
            cursor = page.next
            if cursor == nil { break }
        }
        findings.expect(cursor == nil, "a last page", "none after 1,000")
        findings.expect(Set(ids).count == ids.count, "every lease once", "\(ids.count - Set(ids).count) twice")
        let expected = Set(model.records.values.filter { query.matches($0) }.map(\.id))
        findings.expect(
            Set(ids) == expected,
            "\(expected.count) leases",
            "\(ids.count), \(expected.subtracting(ids).count) missing, \(Set(ids).subtracting(expected).count) foreign"
        )
    }
}
