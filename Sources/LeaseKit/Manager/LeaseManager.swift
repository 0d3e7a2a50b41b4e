// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Issues leases, keeps their records, and ends them: the centre of LeaseKit.
///
/// ```swift
/// let manager = LeaseManager(store: InMemoryLeaseStore())
/// let database = try await manager.mount(backend, at: "database")
/// try await withThrowingTaskGroup(of: Void.self) { group in
///     group.addTask { try await manager.run() }
///     let lease = try await database.issue("app")
///     print(lease)
///     manager.beginShutdown()
///     try await group.waitForAll()
/// }
/// ```
///
/// The store is the lease table; the manager keeps no copy of it, so there is nothing to load at the start. ``run()`` does
/// all the background work: it calls backends, ends what is due and carries out orders. Without it only backends that
/// never wait can be used, and nothing ends by time.
public final class LeaseManager: Sendable {
    /// The manager's settings.
    public let configuration: Configuration

    let clock: LeaseClock
    let events: EventHub
    let entropy: LeaseEntropy
    let ledger: Ledger
    let mounts = MountDirectory()
    let orders = OrderBoard()
    let lostAnswers = LostAnswers()
    let work = WorkQueue()
    let alarm = Alarm()
    let deadlines = Deadlines()
    let lifecycle = Lifecycle()
    let holdOff = HoldOff()
    let givenUp = GivenUpLeases()

    /// Makes a manager.
    ///
    /// Does no I/O: the store is opened at the first use, which is also when a configuration that makes no sense is refused.
    public init(
        store: any LeaseStore,
        configuration: Configuration = Configuration(),
        time: any LeaseTime = SystemTime()
    ) {
        self.configuration = configuration
        entropy = configuration.entropy
        clock = LeaseClock(time)
        events = EventHub(observers: configuration.observers)
        ledger = Ledger(store: store, clock: clock, entropy: configuration.entropy, events: events)
    }

    /// Opens a stream of everything that happens from now on.
    ///
    /// The stream keeps the newest `buffer` events for a slow reader and says how many it dropped.
    public func events(buffer: Int = 256) -> LeaseEvents {
        events.subscribe(buffer: buffer)
    }

    /// What the store says about itself.
    public var storeTraits: StoreTraits { ledger.store.traits }

    /// Opens the store if it is not open yet, and learns what it knows about time and about itself.
    @inline(never)
    func opened() async throws -> OpenedStore {
        if let opening = ledger.opening { return opening }
        try configuration.validate()
        return try await ledger.open { opening, dispute in
            for doubt in opening.doubts { self.beginHoldOff(.doubt(doubt)) }
            if let dispute { self.beginHoldOff(.clock(dispute)) }
        }
    }

    /// Opens the store for a call that changes something; a manager that has stopped changes nothing.
    @inline(never)
    func openedForChange() async throws -> OpenedStore {
        if lifecycle.phase == .stopped {
            throw LeaseError(.managerStopped, "this manager has stopped; make a new one on the same store")
        }
        return try await opened()
    }

    /// A name for a new order.
    func newOrderID() -> RevocationOrderID { RevocationOrderID(rawValue: entropy.next() | 1) }

    /// Whose leases these are: the name in every credential's mark.
    public var deployment: String {
        get async throws { deployment(try await opened()) }
    }

    /// The deployment's name, for code that runs after the store was opened.
    func deployment(_ opening: OpenedStore) -> String { configuration.deployment ?? opening.deployment }
}
