// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A store as one simulated process sees it: with a way to it that takes time, fails and loses answers.
///
/// With a clock of its own it is the authority on time, as a store that several managers share has to be.
final class SimulatedStore: ForwardingLeaseStore, @unchecked Sendable {
    /// How often the way to the store is slow or fails.
    struct Weather: Sendable {
        var lag = 0.0
        var unavailable = 0.0
        var unknown = 0.0
    }

    private let life: ProcessLife
    private let time: VirtualTime
    private let storeClock: VirtualTime?
    private let weather: Locked<Weather>
    private let random: Locked<SeededGenerator>
    private let note: @Sendable (String) -> Void

    init(
        _ base: any LeaseStore,
        life: ProcessLife,
        time: VirtualTime,
        storeClock: VirtualTime?,
        weather: Locked<Weather>,
        seed: UInt64,
        note: @escaping @Sendable (String) -> Void
    ) {
        self.life = life
        self.time = time
        self.storeClock = storeClock
        self.weather = weather
        random = Locked(SeededGenerator(seed: seed))
        self.note = note
        super.init(base)
    }

    override var traits: StoreTraits {
        var traits = base.traits
        traits.hasClock = storeClock != nil
        traits.isImmediate = false
        return traits
    }

    private func chance(_ probability: Double) -> Bool { random.withLock { $0.chance(probability) } }

    /// - Parameter write: What is written, if anything is.
    private func around<Value: Sendable>(
        write: String?,
        _ body: () async throws -> Value
    ) async throws -> Value {
        if let write { try await life.reach("store.\(write).before") } else { try await life.pass() }
        let weather = weather.withLock { $0 }
        if chance(weather.lag) {
            try? await time.sleep(for: random.withLock { $0.duration(upTo: .milliseconds(200)) })
            try await life.pass()
        }
        if chance(weather.unavailable) {
            note("store unavailable")
            throw StoreError(.unavailable, "the store is out of reach (simulated)")
        }
        let value: Value
        do {
            value = try await body()
        } catch {
            try await life.pass()
            throw error
        }
        if let write { try await life.reach("store.\(write).after") }
        if chance(weather.lag) {
            try? await time.sleep(for: random.withLock { $0.duration(upTo: .milliseconds(200)) })
        }
        try await life.pass()
        if write != nil, chance(weather.unknown) {
            note("store unknown")
            throw StoreError(.unknown, "the answer was lost (simulated)")
        }
        return value
    }

    private func write<Value: Sendable>(
        _ what: String,
        _ context: StoreContext,
        _ body: (StoreContext) async throws -> StoreReply<Value>
    ) async throws -> StoreReply<Value> {
        try await around(write: what) { try await stamped { try await body($0(context)) } }
    }

    private func read<Value: Sendable>(
        _ body: () async throws -> StoreReply<Value>
    ) async throws -> StoreReply<Value> {
        try await around(write: nil) { try await stamped { _ in try await body() } }
    }

    /// Puts the store's own time in place of the manager's, and into the answer.
    private func stamped<Value: Sendable>(
        _ body: ((StoreContext) -> StoreContext) async throws -> StoreReply<Value>
    ) async throws -> StoreReply<Value> {
        guard let storeClock else { return try await body { $0 } }
        let now = storeClock.wall
        var reply = try await body { context in
            var context = context
            context.now = now
            return context
        }
        reply.storeTime = now
        return reply
    }

    override func open(at reading: TimeReading) async throws -> StoreOpening {
        try await around(write: "open") { try await base.open(at: storeClock?.read() ?? reading) }
    }

    override func close(_ incarnation: Incarnation) async {
        guard (try? await life.pass()) != nil else { return }
        await base.close(incarnation)
    }

    override func apply(
        _ changes: [LeaseChange],
        _ context: StoreContext
    ) async throws -> StoreReply<[LeaseChangeOutcome]> {
        try await write(ProcessStep.name(of: changes), context) { try await base.apply(changes, $0) }
    }

    override func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> StoreReply<OrderPlacement> {
        try await write("place", context) { try await base.place(order, claimUntil: claimUntil, $0) }
    }

    override func expand(
        _ order: RevocationOrderID,
        limit: Int,
        _ context: StoreContext
    ) async throws -> StoreReply<RevocationOrder> {
        try await write("expand", context) { try await base.expand(order, limit: limit, $0) }
    }

    override func orders(_ ids: [RevocationOrderID]) async throws -> StoreReply<[RevocationOrder?]> {
        try await read { try await base.orders(ids) }
    }

    override func openOrders(limit: Int) async throws -> StoreReply<[RevocationOrder]> {
        try await read { try await base.openOrders(limit: limit) }
    }

    override func reopen(_ order: RevocationOrderID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await write("reopen", context) { try await base.reopen(order, $0) }
    }

    override func claimDue(
        _ request: ClaimRequest,
        _ context: StoreContext
    ) async throws -> StoreReply<[ClaimedLease]> {
        try await write("claimDue", context) { try await base.claimDue(request, $0) }
    }

    override func nextDue(_ mounts: [MountID], _ scope: ClaimScope) async throws -> StoreReply<[LeaseInstant?]> {
        try await read { try await base.nextDue(mounts, scope) }
    }

    override func find(_ ids: [LeaseID]) async throws -> StoreReply<[LeaseRecord?]> {
        try await read { try await base.find(ids) }
    }

    override func page(
        _ query: LeaseQuery,
        after cursor: LeaseCursor?,
        limit: Int
    ) async throws -> StoreReply<LeasePage> {
        try await read { try await base.page(query, after: cursor, limit: limit) }
    }

    override func counts(_ scope: LeaseCountScope) async throws -> StoreReply<LeaseCounts> {
        try await read { try await base.counts(scope) }
    }

    override func mounts() async throws -> StoreReply<[MountRegistration]> {
        try await read { try await base.mounts() }
    }

    override func register(
        path: String,
        kind: String,
        _ context: StoreContext
    ) async throws -> StoreReply<MountRegistration> {
        try await write("register", context) { try await base.register(path: path, kind: kind, $0) }
    }

    override func adopt(
        _ fingerprint: String?,
        for mount: MountID,
        expected: String?,
        _ context: StoreContext
    ) async throws -> StoreReply<Bool> {
        try await write("adopt", context) { try await base.adopt(fingerprint, for: mount, expected: expected, $0) }
    }

    override func unregister(_ mount: MountID, _ context: StoreContext) async throws -> StoreReply<Bool> {
        try await write("unregister", context) { try await base.unregister(mount, $0) }
    }

    override func record(_ time: ObservedTime) async throws {
        try await around(write: "record") { try await base.record(time) }
    }

    override func beginEpoch(_ context: StoreContext) async throws -> StoreReply<UInt64> {
        try await write("beginEpoch", context) { try await base.beginEpoch($0) }
    }
}
