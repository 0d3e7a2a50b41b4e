// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// The two places where a store applies the rules, on the simplest table there is.
private struct TinyTable {
    var rows: [LeaseID: LeaseRecord] = [:]
    var orders: [RevocationOrderID: RevocationOrder] = [:]
    var tree = LeaseTree()
    var lastSequence: UInt64 = 0

    private func holder(of request: String) -> LeaseID? { rows.values.first { $0.requestID == request }?.id }
    private func closingOrder(over path: String, _ mount: MountID) -> RevocationOrderID? {
        orders.values.first { $0.keepsOut(path: path, mount: mount) }?.id
    }
    private func unexpandedOrder(over record: LeaseRecord) -> RevocationOrderID? {
        orders.values.first { !$0.progress.isExpanded && $0.selects(record) }?.id
    }
    private func usage(around insertion: LeaseInsertion) -> LeaseQuotas.Usage {
        LeaseQuotas.Usage(mount: rows.values.count { $0.mount == insertion.mount })
    }
    private func parentFacts(_ id: LeaseID?, _ context: StoreContext) -> ParentFacts? {
        guard let id, let record = rows[id] else { return nil }
        let facts = UpdateFacts(coveredBy: unexpandedOrder(over: record))
        return ParentFacts(
            isActive: record.refusalUnlessActive(facts, now: context.now) == nil,
            expiresAt: record.expiresAt
        )
    }

    // sample: store-insert
    mutating func insert(_ insertion: LeaseInsertion, _ context: StoreContext) -> LeaseChangeOutcome {
        let facts = InsertionFacts(
            now: context.now,
            holderOfID: rows[insertion.id]?.id,
            holderOfRequest: insertion.fields.requestID.flatMap { holder(of: $0) },
            closedBy: closingOrder(over: insertion.path, insertion.mount),
            parent: parentFacts(insertion.parent, context),
            usage: usage(around: insertion)
        )
        if let refusal = insertion.refusal(facts) { return .refused(refusal) }
        lastSequence += 1
        let record = insertion.record(sequence: lastSequence, context)
        rows[record.id] = record
        if let parent = record.parent { _ = tree.insert(record.id, under: parent) }
        return .applied(record)
    }
    // end sample

    // sample: store-update
    mutating func update(_ id: LeaseID, _ change: LeaseUpdate, _ context: StoreContext) -> LeaseChangeOutcome {
        guard var record = rows[id] else { return .refused(.notFound) }
        let (before, wasHollow) = (record.state, record.isHollow)
        let facts = UpdateFacts(
            coveredBy: unexpandedOrder(over: record),
            parent: parentFacts(record.parent, context),
            hasChildren: tree.hasChildren(id)
        )
        switch record.apply(change, facts, context) {
        case .failure(let refusal):
            return .refused(refusal)
        case .success(let effect):
            for order in record.orders {
                orders[order]?.progress.count(effect, from: before, wasHollow: wasHollow, to: record.state)
            }
            if case .remove = effect { remove(record, context) } else { rows[id] = record }
            return .applied(record)
        }
    }
    // end sample

    private mutating func remove(_ record: LeaseRecord, _ context: StoreContext) {
        rows[record.id] = nil
        _ = tree.remove(record.id)
    }
}

@Suite struct StoreSamples {
    @Test func tinyTable() throws {
        var table = TinyTable()
        let now = LeaseInstant(secondsSinceEpoch: 1_767_225_600)
        let context = StoreContext(
            now: now,
            operation: 1,
            incarnation: Incarnation(rawValue: 1),
            cause: LeaseCause(.requested)
        )
        let insertion = LeaseInsertion(
            id: LeaseID(high: 1, low: 2),
            mount: MountID(rawValue: 1),
            path: "database/creds/app",
            handle: [],
            issuedAt: now,
            expiresAt: now + .seconds(60),
            deadline: now + .seconds(30)
        )
        let inserted = table.insert(insertion, context)
        let record = try #require(inserted.record)
        let repeated = table.insert(insertion, context)
        #expect(repeated.refusal == .duplicateID)
        let activation = LeaseActivation(handle: [], expiresAt: record.expiresAt, generation: record.generation)
        let active = table.update(record.id, .activate(activation), context)
        #expect(active.record?.state == .active)
        let abandoned = table.update(record.id, .remove(nil, .abandoned), context)
        #expect(abandoned.record != nil)
        #expect(table.rows.isEmpty)
    }

    // sample: store-conformance
    @Test(arguments: 1...3 as ClosedRange<UInt64>) func conforms(seed: UInt64) async throws {
        try await LeaseStoreConformance { try await MyStore.empty() }.run(seed: seed)
    }
    // end sample

    @Test func faults() async throws {
        // sample: faulty-store
        let store = FaultyLeaseStore(InMemoryLeaseStore()) { call in
            call.kind == .apply && call.index == 7 ? .unknown : nil
        }
        // end sample
        #expect(!store.traits.isDurable)
    }
}

private enum MyStore {
    static func empty() async throws -> InMemoryLeaseStore { InMemoryLeaseStore() }
}
