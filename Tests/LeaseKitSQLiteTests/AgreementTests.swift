// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting
import Testing

/// The same history on disk and in memory, with names, sizes and times that the conformance suite does not think of.
@Suite("The table on disk and the one in memory")
struct AgreementTests {
    @Test("say the same after the same", arguments: UInt64(1)...16)
    func agree(seed: UInt64) async throws {
        let directory = try TemporaryDirectory.inMemory()
        let options = seed % 2 == 0 ? StoreBench.leavingEntries : SQLiteLeaseStore.Options()
        let disk = SQLiteLeaseStore(path: directory.file(), options: options, isInline: true)
        let twin = Twins(disk, InMemoryLeaseStore(), seed: seed)
        try await twin.open()
        for step in 1...200 {
            try await twin.step()
            try #require(!twin.hasDisagreed, "seed \(seed), step \(step)")
        }
        #expect(try await disk.integrityCheck().isEmpty)
        #expect(twin.listings > 5)
    }
}

/// Two stores that are told the same.
private final class Twins {
    private let disk: SQLiteLeaseStore
    private let memory: InMemoryLeaseStore
    private var random: SeededGenerator
    private var now = StoreBench.now
    private var operation: UInt64 = 0
    private var openings: [StoreOpening] = []
    private var mounts: [MountID] = []
    private var ids: [LeaseID] = []
    private var orders: [RevocationOrderID] = []
    private var listing: Listing?
    private(set) var hasDisagreed = false
    private(set) var listings = 0

    // The same letters in two spellings; what sorts around "/"; what UTF-16 sorts otherwise; a NUL; the longest.
    private static let paths = [
        "a", "a/b", "a/b/c", "a/b-c", "a/b0", "a.b", "a0", "a/caf\u{E9}", "a/cafe\u{301}", "caf\u{E9}", "caf\u{E9}/x",
        "cafe\u{301}",
        "cafe\u{301}/x", "\u{FFFD}", "\u{1F511}", "\u{E000}/k", "a b/%_", "A", String(repeating: "p", count: 512),
    ]
    private static let owners = [
        "ann", "Ann", "", "caf\u{E9}", "cafe\u{301}", "a\0b", "a", String(repeating: "o", count: 4_000),
    ]
    private static let requests = ["r1", "r2", "caf\u{E9}", "cafe\u{301}", "r\0", "r"]

    init(_ disk: SQLiteLeaseStore, _ memory: InMemoryLeaseStore, seed: UInt64) {
        (self.disk, self.memory) = (disk, memory)
        random = SeededGenerator(seed: seed)
    }

    // MARK: - Telling both

    func open() async throws {
        let first = openings.isEmpty
        if !first && oneIn(2) { await disk.drop() }
        let elapsed = now - StoreBench.now
        let reading = TimeReading(wall: now, continuous: elapsed, suspending: elapsed, bootID: "boot")
        openings = [try await disk.open(at: reading), try await memory.open(at: reading)]
        same(
            "opening",
            openings.map {
                "\($0.incarnation) \($0.epoch) \($0.livedEpochs.sorted()) \($0.observed as Any) \($0.doubts)"
            }
        )
        if first { for path in ["a", "caf\u{E9}", "cafe\u{301}"] { try await register(path) } }
    }

    private func both<Value>(
        _ what: String,
        _ call: (any LeaseStore, StoreContext) async throws -> Value,
        _ text: (Value) -> String
    ) async throws -> [Value] {
        operation += 1
        var values: [Value] = []
        for (store, opening) in zip([disk, memory] as [any LeaseStore], openings) {
            let context = StoreContext(
                now: now,
                operation: operation,
                incarnation: opening.incarnation,
                cause: LeaseCause(.requested)
            )
            values.append(try await call(store, context))
        }
        same(what, values.map(text))
        return values
    }

    private func same(_ what: String, _ texts: [String]) {
        if texts[0] == texts[1] { return }
        hasDisagreed = true
        Issue.record("\(what): on disk \(texts[0].prefix(600)), in memory \(texts[1].prefix(600))")
    }

    private func oneIn(_ count: UInt64) -> Bool { random.next() % count == 0 }

    private func pick<Value>(_ values: [Value]) -> Value { values[random.index(below: values.count)] }

    // MARK: - One step

    func step() async throws {
        if oneIn(3) { now = now + .milliseconds(Int64(random.next() % 4_000)) }
        switch random.next() % 100 {
        case 0..<45: try await change()
        case 45..<60: try await claim()
        case 60..<65: try await revoke()
        case 65..<72: try await mountState()
        case 72..<75: try await register(pick(Self.paths))
        case 75..<78: try await mountsChange()
        case 78..<80: try await open()
        case 80..<82: try await time()
        default: try await read()
        }
        try await list()
    }

    private func change() async throws {
        let changes = (0...random.index(below: 4)).map { _ in oneIn(2) ? LeaseChange.insert(insertion()) : update() }
        let replies = try await both("\(changes)", { try await $0.apply(changes, $1).value }) { outcomes in
            outcomes.map { $0.record.map(Self.text) ?? "\($0.refusal as Any)" }.joined(separator: "; ")
        }
        for outcome in replies[1] { if let id = outcome.record?.id, !ids.contains(id) { ids.append(id) } }
    }

    private func insertion() -> LeaseInsertion {
        var id = LeaseID(high: random.next(), low: random.next())
        if oneIn(8), !ids.isEmpty { id = pick(ids) }
        let far = [LeaseInstant.distantFuture, LeaseInstant.distantPast, now, now + .seconds(5), now + .seconds(60)]
        var insertion = LeaseInsertion(
            id: id,
            mount: oneIn(30) ? MountID(rawValue: 900) : pick(mounts),
            path: pick(Self.paths),
            handle: [UInt8](repeating: 7, count: pick([0, 1, 1_024, 1_025])),
            issuedAt: now,
            expiresAt: pick(far),
            deadline: pick(far)
        )
        insertion.kind = pick([.credential, .session, .informational])
        insertion.isRenewable = oneIn(2)
        insertion.role = pick([[], [1], [2], [UInt8](repeating: 9, count: 5_000)])
        if oneIn(3), !ids.isEmpty { insertion.parent = pick(ids) }
        insertion.needsParent = oneIn(4)
        insertion.bindsToParent = oneIn(2)
        if oneIn(2) { insertion.fields.owner = pick(Self.owners) }
        if oneIn(4) { insertion.fields.requestID = pick(Self.requests) }
        if oneIn(5) { insertion.fields.usesLeft = pick([0, 1, .max]) }
        if oneIn(5) { insertion.fields.labels = ["caf\u{E9}": "1", "": "\0", "cafe\u{301}x": ""] }
        if oneIn(6) { insertion.quotas = LeaseQuotas(perMount: 20, perPath: 5, perParent: 2, perOwner: 5) }
        return insertion
    }

    private func update() -> LeaseChange {
        guard !ids.isEmpty else { return .insert(insertion()) }
        let generation = UInt32(random.next() % 3)
        let expiry = pick([now + .seconds(3), now + .seconds(50), .distantFuture])
        let update: LeaseUpdate
        switch random.next() % 9 {
        case 0...3: update = .activate(LeaseActivation(handle: [3], expiresAt: expiry, generation: 1))
        case 4: update = .extend(LeaseExtension(expiresAt: expiry, generation: generation, mayShorten: oneIn(2)))
        case 5: update = .detach
        case 6: update = .remove(nil, .abandoned)
        case 7: update = .consumeUse
        default: update = .handOver(LeaseHandOver(handle: oneIn(2) ? nil : [], mayBeInFlight: oneIn(2)))
        }
        return .update(pick(ids), update)
    }

    /// Everything that is due, because which of two that fall due together comes first is the store's choice.
    private func claim() async throws {
        let request = ClaimRequest(
            mount: pick(mounts),
            room: oneIn(8) ? pick([0, -1]) : 10_000,
            scope: oneIn(4) ? .ordered : .everything,
            lapsesAt: now + pick([.nanoseconds(1), .seconds(2), .seconds(30)])
        )
        let replies = try await both("\(request)", { try await $0.claimDue(request, $1).value }) { claimed in
            claimed.sorted { $0.record.sequence < $1.record.sequence }
                .map { "\(Self.text($0.record)) \($0.hasChildren) \($0.hasJustExpired)" }.joined(separator: "; ")
        }
        for id in replies[1].map(\.record.id) where !oneIn(3) {
            let failure = LeaseFailure(code: "t", message: "caf\u{E9}")
            let (kind, later) = (random.next() % 5, now + .seconds(1))
            _ = try await both(
                "work \(kind)",
                { store, context in
                    let claim = try await store.find([id]).value[0]?.claim ?? LeaseClaim(rawValue: 0)
                    let updates: [LeaseUpdate] = [
                        .remove(claim, .revoked), .attempt(claim, failure, due: later, isStuck: kind == 1),
                        .end(claim, until: later),
                        .release(claim, due: .distantPast), .quarantine(claim, failure),
                    ]
                    return try await store.apply([.update(id, updates[Int(kind)])], context).value
                }
            ) { outcomes in
                outcomes.map { $0.record.map(Self.text) ?? "\($0.refusal as Any)" }.joined()
            }
        }
    }

    private func revoke() async throws {
        let selections: [LeaseSelection] = [
            .prefix(pick(Self.paths)), .mount(pick(mounts)), .prefix(pick(Self.paths)),
            .tree(ids.isEmpty ? LeaseID(high: 1, low: 1) : pick(ids)),
        ]
        let order = RevocationOrder(
            id: RevocationOrderID(rawValue: random.next()),
            selection: pick(selections),
            cause: LeaseCause(
                LeaseCause.Reason("caf\u{E9}"),
                actor: pick(["", "a\0b", "me"]),
                requestID: pick([nil, "", "q"])
            ),
            urgency: oneIn(3) ? .expiry : .ordered,
            isClosing: oneIn(4),
            patience: pick([.zero, .seconds(9), .seconds(Int64.max)]),
            placedAt: now
        )
        orders.append(order.id)
        _ = try await both("\(order)", { try await $0.place(order, claimUntil: nil, $1).value }) { "\($0)" }
        _ = try await both("expand", { try await $0.expand(order.id, limit: 100_000, $1).value }) { "\($0)" }
        let other = pick(orders)
        if oneIn(2) { _ = try await both("reopen", { try await $0.reopen(other, $1).value }) { "\($0)" } }
    }

    private func mountState() async throws {
        let (mount, key) = (oneIn(6) ? MountID(rawValue: 77) : pick(mounts), pick(["k", "", "caf\u{E9}", "k\0", "K"]))
        let known = try await memory.loadState(mount, key: key).value
        let expected = oneIn(4) ? random.next() % 3 : known?.version ?? 0
        let bytes: [UInt8]? = oneIn(4) ? nil : [UInt8](repeating: 5, count: pick([0, 1, 7_000]))
        let due = pick([nil, now, LeaseInstant.distantFuture, .distantPast])
        _ = try await both(
            "saveState \(key.utf8.map { $0 })",
            {
                try await $0.saveState(mount, key: key, expectedVersion: expected, bytes: bytes, due: due, $1).value
            }
        ) { "\($0 as Any)" }
        _ = try await both(
            "loadState \(key.utf8.map { $0 })",
            { store, _ in try await store.loadState(mount, key: key).value }
        ) {
            "\($0 as Any)"
        }
    }

    private func register(_ path: String) async throws {
        let replies = try await both(
            "register \(path)",
            { try await $0.register(path: path, kind: "caf\u{E9}", $1).value }
        ) {
            "\($0.id) \(Array($0.path.utf8)) \($0.kind) \($0.fingerprint as Any)"
        }
        if !mounts.contains(replies[1].id) { mounts.append(replies[1].id) }
    }

    private func mountsChange() async throws {
        let mount = pick(mounts)
        let (old, new) = (pick([nil, "", "f", "caf\u{E9}"]), pick([nil, "", "f", "caf\u{E9}"]))
        _ = try await both("adopt", { try await $0.adopt(new, for: mount, expected: old, $1).value }) { "\($0)" }
        if mounts.count > 3 && oneIn(3) {
            _ = try await both("unregister", { try await $0.unregister(mount, $1).value }) { "\($0)" }
        }
        _ = try await both("mounts", { store, _ in try await store.mounts().value }) { "\($0)" }
    }

    private func time() async throws {
        let observed = ObservedTime(
            time: now,
            bootID: pick(["", "b\0c", "caf\u{E9}"]),
            continuous: pick([.zero, .seconds(5)])
        )
        for store in [disk, memory] as [any LeaseStore] { try await store.record(observed) }
        _ = try await both("epoch", { try await $0.beginEpoch($1).value }) { "\($0)" }
    }

    // MARK: - Reading

    private func read() async throws {
        let parent = ids.isEmpty ? LeaseID(high: 1, low: 1) : pick(ids)
        let scopes: [LeaseCountScope] = [
            .all, .mount(pick(mounts)), .path(pick(Self.paths)), .owner(pick(Self.owners)), .children(parent),
        ]
        for scope in scopes {
            _ = try await both("\(scope)", { store, _ in try await store.counts(scope).value }) { "\($0)" }
        }
        for scope in [ClaimScope.everything, .ordered] {
            _ = try await both("nextDue", { store, _ in try await store.nextDue(self.mounts, scope).value }) { "\($0)" }
        }
        _ = try await both("find", { store, _ in try await store.find(self.ids).value }) {
            $0.map { $0.map(Self.text) ?? "-" }.joined(separator: "; ")
        }
        _ = try await both("orders", { store, _ in try await store.orders(self.orders).value }) {
            $0.map { "\($0?.id as Any) \($0?.progress as Any)" }.description
        }
        _ = try await both("open orders", { store, _ in try await store.openOrders(limit: 9).value }) {
            $0.map { "\($0.id) \($0.progress)" }.description
        }
        let query = query()
        let limit = pick([1, 2, 7, 1_000])
        _ = try await both("page \(query)", { store, _ in try await Self.all(query, limit, store) }) {
            $0.map(\.sequence).sorted().description
        }
    }

    private func query() -> LeaseQuery {
        var query = LeaseQuery()
        if oneIn(2) { query.prefix = pick(Self.paths + [""]) }
        if oneIn(4), !ids.isEmpty { query.parent = pick(ids) }
        if oneIn(3) { query.state = pick(LeaseState.allCases.map { $0 }) }
        if oneIn(4) { query.mount = pick(mounts) }
        if oneIn(4) { query.owner = pick(Self.owners) }
        if oneIn(6), !orders.isEmpty { query.order = pick(orders) }
        return query
    }

    private static func all(_ query: LeaseQuery, _ limit: Int, _ store: any LeaseStore) async throws -> [LeaseRecord] {
        var (found, cursor): ([LeaseRecord], LeaseCursor?) = ([], nil)
        repeat {
            let page = try await store.page(query, after: cursor, limit: limit).value
            found += page.records
            cursor = page.next
        } while cursor != nil
        return found
    }

    private static func text(_ record: LeaseRecord) -> String {
        var same = record
        same.claim = record.claim.map { _ in LeaseClaim(rawValue: 1) }
        return
            "\(record.sequence) \(record.state) due \(record.due) \(same.encoded().hashValue) \(Array(record.path.utf8.prefix(9)))"
    }

    // MARK: - A listing that goes on while the table changes

    private struct Listing {
        let query: LeaseQuery
        let limit: Int
        /// What was there all the while; it has to come, and once.
        var steady: Set<UInt64>
        var seen: [UInt64] = []
        var cursor: LeaseCursor?
    }

    private func list() async throws {
        if listing == nil {
            let query = query()
            let there = try await Self.all(query, 1_000, memory).map(\.sequence)
            listing = Listing(query: query, limit: pick([1, 2, 3]), steady: Set(there))
        }
        guard var current = listing else { return }
        current.steady.formIntersection(try await Self.all(current.query, 1_000, memory).map(\.sequence))
        let page = try await disk.page(current.query, after: current.cursor, limit: current.limit).value
        current.seen += page.records.map(\.sequence)
        current.cursor = page.next
        listing = page.next == nil ? nil : current
        if page.next != nil { return }
        listings += 1
        if Set(current.seen).count != current.seen.count || !current.steady.isSubset(of: current.seen) {
            hasDisagreed = true
            Issue.record(
                "a listing of \(current.query) came to \(current.seen), and \(current.steady) was there all the while"
            )
        }
    }
}
