// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The manager's hand on its store: makes contexts, turns store errors into the manager's, and finds out what happened
/// when an answer was lost.
final class Ledger: Sendable {
    let store: any LeaseStore
    /// The same, if it never waits.
    private let immediate: (any ImmediateStore)?
    private let clock: LeaseClock
    /// Whether the store is the authority on time.
    private let hasClock: Bool
    /// Whether no other manager works on the store.
    let isExclusive: Bool
    private let hasFollowed = Atomic(false)
    private let entropy: LeaseEntropy
    private let events: EventHub
    private let operations: Atomic<UInt64>
    /// The incarnation, once the store is open: what every call needs, without a lock.
    private let incarnation = Atomic<UInt32>(0)
    private let hasOpened = Atomic(false)
    private let state = Locked(State())

    private struct State {
        var opening: OpenedStore?
        var isOpening = false
        var waiters: [Reply<OpenedStore>] = []
    }

    init(store: any LeaseStore, clock: LeaseClock, entropy: LeaseEntropy, events: EventHub) {
        self.store = store
        self.events = events
        immediate = store as? any ImmediateStore
        hasClock = store.traits.hasClock
        isExclusive = store.traits.isExclusive
        self.clock = clock
        self.entropy = entropy
        operations = Atomic(entropy.next())
    }

    /// What the store said when it was opened; nil before.
    var opening: OpenedStore? { state.withLock { $0.opening } }

    /// Whether the store has been opened.
    var isOpen: Bool { hasOpened.load(ordering: .acquiring) }

    /// Opens the store once, however many ask at the same time.
    ///
    /// A failure is not remembered.
    func open(_ learn: @Sendable (StoreOpening, ClockDispute?) -> Void) async throws -> OpenedStore {
        let ticket: (known: OpenedStore?, wait: Reply<OpenedStore>?) = state.withLock { state in
            if let opening = state.opening { return (opening, nil) }
            guard state.isOpening else {
                state.isOpening = true
                return (nil, nil)
            }
            let reply = Reply<OpenedStore>()
            state.waiters.append(reply)
            return (nil, reply)
        }
        if let known = ticket.known { return known }
        if let reply = ticket.wait { return try await reply.value() }
        let result: Result<OpenedStore, any Error>
        do {
            let opening = try await store.open(at: clock.time.read())
            // Where the store is the authority there is nothing to dispute: its first answer says what time it is.
            let dispute = store.traits.isDurable && !hasClock ? clock.start(from: opening.observed) : nil
            if hasClock { _ = try await ask { try await $0.openOrders(limit: 1) } }
            learn(opening, dispute)
            result = .success(OpenedStore(opening, at: clock.now))
        } catch {
            result = .failure(LeaseError(store: error))
        }
        if let opening = try? result.get() {
            incarnation.store(opening.incarnation.rawValue, ordering: .relaxed)
        }
        let waiters = state.withLock { state in
            state.isOpening = false
            state.opening = try? result.get()
            defer { state.waiters = [] }
            return state.waiters
        }
        if case .success = result { hasOpened.store(true, ordering: .releasing) }
        for waiter in waiters { waiter.deliver(result) }
        return try result.get()
    }

    /// Notes a new epoch.
    func enter(epoch: UInt64) {
        let now = clock.observation()
        state.withLock { $0.opening = $0.opening?.entering(epoch: epoch, at: now) }
    }

    /// What goes with a writing call.
    ///
    /// The store has been opened.
    func context(_ cause: LeaseCause, at now: LeaseInstant? = nil) -> StoreContext {
        StoreContext(
            now: now ?? clock.now,
            operation: operations.wrappingAdd(1, ordering: .relaxed).newValue,
            incarnation: Incarnation(rawValue: incarnation.load(ordering: .relaxed)),
            cause: cause
        )
    }

    /// Asks the store something; its errors become the manager's, its time the manager's if it has a clock.
    func ask<Value: Sendable>(
        _ question: (any LeaseStore) async throws -> StoreReply<Value>
    ) async throws -> Value {
        do {
            return try await take { try await question(store) }
        } catch {
            throw Self.reading(error)
        }
    }

    /// The value of a reply, whose time becomes the manager's.
    private func take<Value: Sendable>(_ question: () async throws -> StoreReply<Value>) async throws -> Value {
        let asked = hasClock ? clock.moment().continuous : .zero
        let reply = try await question()
        if hasClock, let time = reply.storeTime {
            let isFirst = !hasFollowed.exchange(true, ordering: .relaxed)
            clock.follow(time, asked: asked, isFirst: isFirst)
        }
        for record in reply.setAside { events.publish(LeaseEvent(.quarantined, record, at: clock.now)) }
        return reply.value
    }

    @inline(never)
    private static func reading(_ error: any Error) -> any Error {
        // Reads and insertions look at cancellation before they begin: nothing was done.
        error is CancellationError ? error : LeaseError(store: error)
    }

    /// Writes a new lease down; in place where the store never waits.
    @inline(__always)
    func insert(_ insertion: LeaseInsertion, _ context: StoreContext) async throws -> LeaseChangeOutcome {
        guard let immediate else { return try await send(.insert(insertion), context) }
        do { return try immediate.insertNow(insertion, context) } catch { throw Self.reading(error) }
    }

    @inline(never)
    private func send(_ change: LeaseChange, _ context: StoreContext) async throws -> LeaseChangeOutcome {
        let outcomes: [LeaseChangeOutcome]
        do {
            outcomes = try await take { try await store.apply([change], context) }
        } catch {
            throw Self.reading(error)
        }
        guard let outcome = outcomes.first else {
            throw LeaseError(.storeRefused, "the store gave no answer to a change; run its conformance suite")
        }
        return outcome
    }

    /// Applies one change to a lease that is there.
    @inline(__always)
    func update(_ id: LeaseID, _ update: LeaseUpdate, _ context: StoreContext) async throws -> LeaseChangeOutcome {
        guard let immediate else { return try await send(.update(id, update), context) }
        do { return try immediate.updateNow(id, update, context) } catch { throw Self.reading(error) }
    }

    /// Applies one change; when the answer was lost, reads the record again to learn whether it was done.
    ///
    /// - Parameter last: The record before the change, for a removal: what is answered when it is gone.
    @inline(__always)
    func updateSurely(
        _ id: LeaseID,
        _ update: LeaseUpdate,
        _ context: StoreContext,
        last: LeaseRecord? = nil
    ) async throws -> LeaseChangeOutcome {
        guard immediate == nil else { return try await self.update(id, update, context) }
        return try await sendSurely(id, update, context, last: last)
    }

    @inline(never)
    private func sendSurely(
        _ id: LeaseID,
        _ update: LeaseUpdate,
        _ context: StoreContext,
        last: LeaseRecord?
    ) async throws -> LeaseChangeOutcome {
        do {
            return try await send(.update(id, update), context)
        } catch let error as LeaseError where error.code == .storeUnknown {
            let outcome = update.outcome(last, foundAs: try? await find(id), context)
            guard let outcome else { throw error }
            return outcome
        }
    }

    /// Applies changes to several leases; when the answer was lost, reads the records again to learn which were done.
    ///
    /// Nil for a change that was not, or of which that is not known.
    func updateSurely(
        _ updates: [(last: LeaseRecord, update: LeaseUpdate)],
        _ context: StoreContext
    ) async throws -> [LeaseChangeOutcome?] {
        do {
            return try await ask { store in
                try await store.apply(updates.map { .update($0.last.id, $0.update) }, context)
            }
        } catch let error as LeaseError where error.code == .storeUnknown {
            guard let found = try? await find(updates.map(\.last.id)) else { throw error }
            return zip(updates, found).map { $0.update.outcome($0.last, foundAs: .some($1), context) }
        }
    }

    /// Places an order; placing it again after a lost answer is placing it once.
    @inline(__always)
    func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> OrderPlacement {
        guard let immediate else { return try await send(order, claimUntil: claimUntil, context) }
        do {
            return try immediate.placeNow(order, claimUntil: claimUntil, context)
        } catch {
            throw Self.reading(error)
        }
    }

    @inline(never)
    private func send(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        _ context: StoreContext
    ) async throws -> OrderPlacement {
        do {
            return try await take { try await store.place(order, claimUntil: claimUntil, context) }
        } catch {
            let reading = Self.reading(error)
            guard (reading as? LeaseError)?.code == .storeUnknown else { throw reading }
            return try await ask { try await $0.place(order, claimUntil: nil, context) }
        }
    }

    /// Finds one lease.
    @inline(__always)
    func find(_ id: LeaseID) async throws -> LeaseRecord? {
        guard let immediate else { return try await read(id) }
        do { return try immediate.findNow(id) } catch { throw Self.reading(error) }
    }

    @inline(never)
    private func read(_ id: LeaseID) async throws -> LeaseRecord? {
        do {
            return try await take { try await store.find([id]) }.first ?? nil
        } catch {
            throw Self.reading(error)
        }
    }

    /// Finds several leases; nil for one that is not there.
    func find(_ ids: [LeaseID]) async throws -> [LeaseRecord?] {
        try await ask { try await $0.find(ids) }
    }
}

extension LeaseUpdate {
    /// What became of a change whose answer was lost, by the record that was found afterwards.
    ///
    /// Nothing but a removal takes a record away: for one, a record that is not there any more says that it was done.
    ///
    /// - Parameter found: Nil when reading failed, too; a nil inside when there is no record.
    func outcome(_ last: LeaseRecord?, foundAs found: LeaseRecord??, _ context: StoreContext) -> LeaseChangeOutcome? {
        switch found {
        case nil: return nil
        case .some(let record?): return record.operation == context.operation ? .applied(record) : nil
        case .some(nil):
            guard case .remove = self, var last else { return nil }
            last.claim = nil
            last.generation &+= 1
            return .applied(last)
        }
    }
}

extension LeaseError {
    /// Reads whatever a store threw.
    init(store error: any Error) {
        switch error {
        case let error as LeaseError:
            self = error
        case let error as StoreError:
            let code: Code =
                switch error.kind {
                case .refused: .storeRefused
                case .unavailable: .storeUnavailable
                case .unknown: .storeUnknown
                }
            self.init(code, error.message, underlying: error)
        default:
            self.init(
                .storeUnknown,
                "the store threw \(type(of: error)), which is no StoreError; whether it was done is not known",
                underlying: error
            )
        }
    }
}
