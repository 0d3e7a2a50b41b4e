// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Keeps any number of leases alive, with one task and one heap, and does the background work of every
/// ``RotatingCredential``.
///
/// ```swift
/// let route = LeaseRoute(database)
/// try await withThrowingTaskGroup(of: Void.self) { group in
///     group.addTask { try await scheduler.run() }
///     let lease = try await database.issue("app")
///     let kept = scheduler.keep(lease, through: route) { news in print(news) }
///     // …
///     kept.release()
///     scheduler.beginShutdown()
///     try await group.waitForAll()
/// }
/// ```
///
/// A renewal is an attempt with a timeout of its own; one that hangs holds up no other. What is due is found in a heap, so
/// that a million leases cost memory and nothing else. After a restart, ``keep(_:through:spread:onNews:)`` spreads the first
/// renewals, and ``Configuration/rate`` bounds them.
public final class RenewalScheduler: Sendable {
    /// The scheduler's settings.
    public let configuration: Configuration

    let time: any LeaseTime
    /// Whether time is the machine's own.
    let isSystem: Bool
    let events: EventHub
    let state: Locked<State>
    let alarm = Alarm()

    /// What is behind the lock.
    struct State: Sendable {
        var phase = Phase.idle
        var hasRun = false
        var waiters: [Reply<Void>] = []
        var slots: [Slot] = []
        var free: [Int32] = []
        /// When each lease is renewed.
        var agenda = RenewalAgenda()
        /// When each worker's time comes: apart, so that leases that wait for room hold up no worker.
        var errands = RenewalAgenda()
        var limiter = RateLimiter()
        /// Renewals that have neither been answered nor run into their timeout.
        var underWay = 0
        /// When those who wait for room are looked through next, for some whose time is over meanwhile.
        var nextLook: Duration = .zero
        /// Work for children of `run()`.
        var jobs: [Job] = []
        /// How long the machine has slept in all, at the last look.
        var slept: Duration = .zero
    }

    typealias Job = @Sendable () async -> Void

    enum Phase: Sendable { case idle, running, stopping, stopped }

    /// One place: a lease, or something that has work to do at a time of its own choosing.
    struct Slot: Sendable {
        var generation: UInt32 = 0
        var content = Content.free
        var isUnderWay = false
    }

    enum Content: Sendable {
        case free
        case lease(Entry)
        case worker(any ScheduledWorker)
    }

    /// A lease that is kept alive.
    struct Entry: Sendable {
        let id: LeaseID
        let route: any RenewalRoute
        let onNews: (@Sendable (KeptLease.News) -> Void)?
        var term: RenewalTerm
    }

    /// Makes a scheduler.
    ///
    /// - Parameters:
    ///   - configuration: The settings.
    ///   - time: The clocks of this machine; the same as those of the sources.
    public init(configuration: Configuration = Configuration(), time: any LeaseTime = SystemTime()) {
        self.configuration = configuration
        self.time = time
        isSystem = time is SystemTime
        events = EventHub(observers: configuration.observers)
        let reading = time.read()
        var state = State()
        state.slept = reading.continuous - reading.suspending
        self.state = Locked(state)
    }

    /// Opens a stream of everything that happens from now on.
    ///
    /// The stream keeps the newest `buffer` events for a slow reader and says how many it dropped.
    public func events(buffer: Int = 256) -> LeaseEvents { events.subscribe(buffer: buffer) }

    /// How many leases are kept.
    ///
    /// Those of rotating credentials do not count.
    public var leaseCount: Int {
        state.withLock { state in
            state.slots.reduce(0) { count, slot in if case .lease = slot.content { count + 1 } else { count } }
        }
    }

    /// What the continuous clock shows.
    var now: Duration { isSystem ? SystemTime.readContinuous() : time.read().continuous }

    /// A random number from 0 up to, but not including, 1.
    func random() -> Double { configuration.entropy.unit() }

    func publish(
        _ kind: LeaseEvent.Kind,
        lease: LeaseID? = nil,
        path: String = "",
        note: @autoclosure () -> String? = nil
    ) {
        events.publish(LeaseEvent(kind, at: time.read().wall, lease: lease, path: path, note: note()))
    }
}

/// Something that the scheduler calls when its time has come, and that tells when that is.
protocol ScheduledWorker: AnyObject, Sendable {
    /// Its time has come.
    func wake(at now: Duration)
    /// The scheduler stops: what is held is to be given back, until `deadline` at the latest.
    func close(at now: Duration, until deadline: Duration)
    /// Whether everything has been given back.
    var isClosed: Bool { get }
    /// The scheduler has stopped.
    func didStop()
}
