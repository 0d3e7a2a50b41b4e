// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

/// A session with a store in which something of everything is written, the same each time.
///
/// Each step is one call, so that a crash leaves the table as it was before a step or as it was after it.
final class ScriptedSession {
    let store: SQLiteLeaseStore
    /// How many steps were answered.
    private(set) var answered = 0
    private var opening: StoreOpening?
    private var claimed: [ClaimedLease] = []
    private static let now = StoreBench.now
    private static let mount = MountID(rawValue: 1)
    private static let order = RevocationOrderID(rawValue: 77)

    init(path: String, _ disk: FaultyDisk, _ options: SQLiteLeaseStore.Options = StoreBench.leavingEntries) {
        store = SQLiteLeaseStore(
            path: path,
            options: options,
            hooks: disk.hooks,
            entropy: .seeded(1),
            isInline: true
        )
    }

    static let length = 24

    /// Runs the first steps; what a step throws ends the session.
    func run(_ count: Int = length) async throws {
        opening = try await StoreBench.open(store)
        while answered < count {
            try await step(answered)
            answered += 1
        }
    }

    private func step(_ number: Int) async throws {
        guard let opening else { return }
        let context = StoreBench.context(opening, operation: UInt64(number + 100))
        switch number {
        case 0: _ = try await store.register(path: "db", kind: "test", context)
        case 1: _ = try await store.register(path: "cloud", kind: "test", context)
        case 2: try await apply(context, (1...3).map { .insert(insertion($0)) })
        case 3: try await apply(context, [activation(1), activation(2)])
        case 4: try await apply(context, [.insert(insertion(4) { $0.kind = .session })])
        case 5: try await apply(context, (5...7).map { .insert(insertion($0) { $0.parent = Self.id(4) }) })
        case 6: try await apply(context, [.update(Self.id(1), .extend(Self.extending))])
        case 7: _ = try await store.saveState(Self.mount, key: "k", expectedVersion: 0, bytes: [9], due: nil, context)
        case 8: try await apply(context, [.insert(insertion(8, rare: true))])
        case 9:
            try await apply(context, [.update(Self.id(3), .handOver(LeaseHandOver(handle: [7], mayBeInFlight: true)))])
        case 10: _ = try await store.place(order(.tree(Self.id(4))), claimUntil: nil, context)
        case 11: _ = try await store.expand(Self.order, limit: 2, context)
        case 12: try await store.vacuum()
        case 13: _ = try await store.expand(Self.order, limit: 100, context)
        case 14: claimed = try await claim(context)
        case 15: try await apply(context, claimed.map { .update($0.record.id, .remove($0.record.claim, .revoked)) })
        case 16: try await apply(context, (20..<90).map { .insert(insertion($0, "db/p\($0 % 9)")) })
        case 17: _ = try await store.adopt("target", for: Self.mount, expected: nil, context)
        case 18: _ = try await store.unregister(MountID(rawValue: 2), context)
        case 19: _ = try await store.beginEpoch(context)
        case 20: try await store.record(ObservedTime(time: Self.now, bootID: "boot", continuous: .seconds(9)))
        case 21: try await store.vacuum()
        case 22: try await apply(context, (20..<40).map { .update(Self.id($0), .rearm) } + [.insert(insertion(9))])
        default: await store.close(opening.incarnation)
        }
    }

    private func apply(_ context: StoreContext, _ changes: [LeaseChange]) async throws {
        _ = try await store.apply(changes, context)
    }

    private func claim(_ context: StoreContext) async throws -> [ClaimedLease] {
        let request = ClaimRequest(mount: Self.mount, room: 3, lapsesAt: Self.now + .seconds(60))
        return try await store.claimDue(request, context).value
    }

    // MARK: - What it writes

    private static func id(_ number: UInt64) -> LeaseID {
        LeaseID(high: number &* 0x9E37_79B9_7F4A_7C15, low: number)
    }

    private func insertion(
        _ number: UInt64,
        _ path: String = "db/app",
        rare: Bool = false,
        _ change: (inout LeaseInsertion) -> Void = { _ in }
    ) -> LeaseInsertion {
        var insertion = LeaseInsertion(
            id: Self.id(number),
            mount: Self.mount,
            path: path,
            handle: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 40),
            issuedAt: Self.now,
            expiresAt: Self.now + .seconds(600),
            deadline: Self.now + .seconds(30)
        )
        insertion.isRenewable = true
        insertion.role = [0x52]
        if rare {
            insertion.fields.owner = "ann"
            insertion.fields.requestID = "request"
            insertion.fields.labels = ["team": "blue"]
        }
        change(&insertion)
        return insertion
    }

    private func activation(_ number: UInt64) -> LeaseChange {
        let expiry = Self.now + .seconds(600)
        return .update(Self.id(number), .activate(LeaseActivation(handle: [1], expiresAt: expiry, generation: 1)))
    }

    private static let extending = LeaseExtension(expiresAt: now + .seconds(900), generation: 2)

    private func order(_ selection: LeaseSelection) -> RevocationOrder {
        RevocationOrder(id: Self.order, selection: selection, cause: LeaseCause(.requested), placedAt: Self.now)
    }

    // MARK: - What it left

    /// Everything that a table says to whoever opens it.
    struct Contents: Hashable {
        var records: [[UInt8]] = []
        var paths: [String] = []
        var order: RevocationOrder?
        var mounts: [MountRegistration] = []
        var state: MountState?
        var epochs: Int
        var counts: [LeaseCounts] = []
    }

    /// Opens what the session left, reads all of it, and looks whether it is sound.
    static func contents(_ path: String, _ disk: FaultyDisk) async throws -> Contents {
        let store = SQLiteLeaseStore(path: path, hooks: disk.hooks, entropy: .seeded(2), isInline: true)
        let opening = try await StoreBench.open(store)
        var contents = Contents(epochs: opening.livedEpochs.count)
        for record in try await store.page(.all, after: nil, limit: 1_000).value.records {
            contents.records.append(record.encoded())
            contents.paths.append(record.path)
        }
        contents.order = try await store.orders([order]).value[0]
        contents.mounts = try await store.mounts().value
        contents.state = try await store.loadState(mount, key: "k").value
        for scope in [.all, .mount(mount), .path("db/app"), .owner("ann"), .children(id(4))] as [LeaseCountScope] {
            contents.counts.append(try await store.counts(scope).value)
        }
        #expect(opening.doubts.isEmpty, "the table itself is never in doubt")
        #expect(try await store.integrityCheck().isEmpty)
        await store.drop()
        return contents
    }
}
