// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What a scripted rule works with: an open store, a time of its own, and short ways to say things.
final class ConformanceBench {
    let store: any LeaseStore
    var findings = Findings()
    var now = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    var opening: StoreOpening
    let mount: MountID
    private var operation: UInt64 = 0
    private var lastID: UInt64 = 0

    init(_ store: any LeaseStore, rule: String) async throws {
        self.store = store
        findings.rule = rule
        opening = try await store.open(at: ModelRun.reading(now))
        let cause = LeaseCause(.requested)
        let context = StoreContext(now: now, operation: 1, incarnation: opening.incarnation, cause: cause)
        mount = try await store.register(path: "db", kind: "test", context).value.id
        operation = 1
    }

    func context(incarnation: Incarnation? = nil) -> StoreContext {
        operation += 1
        return StoreContext(
            now: now,
            operation: operation,
            incarnation: incarnation ?? opening.incarnation,
            cause: LeaseCause(.requested, actor: "conformance")
        )
    }

    func newID() -> LeaseID {
        lastID += 1
        return LeaseID(high: lastID &* 0x9E37_79B9_7F4A_7C15, low: lastID &* 0xBF58_476D_1CE4_E5B9)
    }

    func insertion(_ path: String = "db/app", under parent: LeaseID? = nil) -> LeaseInsertion {
        var insertion = LeaseInsertion(
            id: newID(),
            mount: mount,
            path: path,
            handle: [1],
            issuedAt: now,
            expiresAt: now + .seconds(600),
            deadline: now + .seconds(30)
        )
        insertion.parent = parent
        return insertion
    }

    // MARK: - Doing

    func insert(_ insertion: LeaseInsertion) async throws -> LeaseChangeOutcome {
        try await store.apply([.insert(insertion)], context()).value[0]
    }

    func update(_ id: LeaseID, _ update: LeaseUpdate) async throws -> LeaseChangeOutcome {
        try await store.apply([.update(id, update)], context()).value[0]
    }

    /// Inserts a lease that has to go in.
    func added(_ insertion: LeaseInsertion) async throws -> LeaseRecord {
        try applied(await insert(insertion), "the insertion")
    }

    func activation(_ record: LeaseRecord) -> LeaseUpdate {
        .activate(LeaseActivation(handle: [2], expiresAt: record.expiresAt, generation: record.generation))
    }

    /// Makes an active lease.
    func active(
        _ path: String = "db/app",
        under parent: LeaseID? = nil,
        _ change: (inout LeaseInsertion) -> Void = { _ in }
    ) async throws -> LeaseRecord {
        var insertion = insertion(path, under: parent)
        change(&insertion)
        let record = try await added(insertion)
        if record.state == .active { return record }
        return try applied(await update(record.id, activation(record)), "the activation")
    }

    func order(_ selection: LeaseSelection, isClosing: Bool = false) -> RevocationOrder {
        lastID += 1
        return RevocationOrder(
            id: RevocationOrderID(rawValue: lastID),
            selection: selection,
            cause: LeaseCause(.requested),
            isClosing: isClosing,
            placedAt: now
        )
    }

    func place(_ order: RevocationOrder, claimUntil: LeaseInstant? = nil) async throws -> OrderPlacement {
        try await store.place(order, claimUntil: claimUntil, context()).value
    }

    /// Places an order and expands it to the end.
    func placeAndExpand(_ order: RevocationOrder) async throws -> RevocationOrder {
        var order = try await place(order).order
        for _ in 0..<1_000 where !order.progress.isExpanded {
            order = try await store.expand(order.id, limit: 10, context()).value
        }
        findings.expect(order.progress.isExpanded, "an end to the expansion", "none")
        return order
    }

    func claim(_ room: Int = 100, _ scope: ClaimScope = .everything) async throws -> [ClaimedLease] {
        let request = ClaimRequest(mount: mount, room: room, scope: scope, lapsesAt: now + .seconds(60))
        return try await store.claimDue(request, context()).value
    }

    func find(_ id: LeaseID) async throws -> LeaseRecord? { try await store.find([id]).value[0] }

    func order(_ id: RevocationOrderID) async throws -> RevocationOrder? { try await store.orders([id]).value[0] }

    func save(_ version: UInt64, _ bytes: [UInt8]?) async throws -> UInt64? {
        let reply = try await store.saveState(
            mount, key: "k", expectedVersion: version, bytes: bytes, due: now, context())
        return reply.value
    }

    func pass(_ seconds: Int64) { now = now + .seconds(seconds) }

    // MARK: - Expecting

    struct Unfit: Error, CustomStringConvertible {
        let description: String
    }

    func applied(_ outcome: LeaseChangeOutcome, _ what: String) throws -> LeaseRecord {
        guard let record = outcome.record else {
            throw Unfit(description: "\(what) was refused: \(outcome.refusal.map { "\($0)" } ?? "")")
        }
        return record
    }

    func expect(_ outcome: LeaseChangeOutcome, isRefused refusal: ChangeRefusal) {
        findings.expect(
            outcome.refusal?.agrees(with: refusal) ?? false,
            "refusal \(refusal)",
            outcome.refusal.map { "\($0)" } ?? "it was applied"
        )
    }

    func expect(_ holds: Bool, _ expected: String, _ seen: @autoclosure () -> String = "otherwise") {
        findings.expect(holds, expected, seen())
    }

    func expectEqual<Value: Equatable>(_ seen: Value, _ expected: Value, _ what: String) {
        findings.expectEqual(seen, expected, what)
    }
}
