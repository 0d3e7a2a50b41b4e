// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Owns all connections of a client, on one thread: waits for whatever comes first of news, sockets and deadlines.
///
/// The machine's clock is read here and nowhere else, for deadlines that a kernel keeps; no lease is decided by it.
final class ConnectionLoop {
    let configuration: PostgresConfiguration
    let mailbox: Mailbox
    private let clock = SystemTime()

    var links: [UInt64: Link] = [:]
    /// Which link a session has.
    var sessions: [UInt64: UInt64] = [:]
    /// First calls of sessions that have no connection yet, the oldest first.
    var waiting: [Job] = []
    var lastLink: UInt64 = 0
    /// The host that worked last: tried first.
    var preferredHost = 0
    /// The server took no more connections: until then make do with what there is.
    var crowdedUntil = Duration.zero
    private var isClosing = false
    private var whenClosed: [@Sendable () -> Void] = []

    init(_ configuration: PostgresConfiguration, _ mailbox: Mailbox) {
        self.configuration = configuration
        self.mailbox = mailbox
    }

    /// Starts the thread; nil when the system has none, or no descriptor, to give.
    static func start(_ configuration: PostgresConfiguration) -> Mailbox? {
        guard let mailbox = Mailbox() else { return nil }
        let isStarted = NativeThread.start { ConnectionLoop(configuration, mailbox).run() }
        return isStarted ? mailbox : nil
    }

    private func run() {
        while true {
            var now = clock.read().continuous
            for message in mailbox.take() { handle(message, now) }
            expire(now)
            dispatch(now)
            if isClosing, links.isEmpty { break }
            if !mailbox.fallAsleep(untilSessionsEnd: isClosing || !waiting.isEmpty) { continue }
            let ready = poll(for: nextDeadline.map { max(.zero, $0 - now) })
            now = clock.read().continuous
            for id in ready {
                if let link = links[id] { happened(link.ready(now), on: link, now) }
            }
        }
        for message in mailbox.end() { refuse(message) }
        for done in whenClosed { done() }
    }

    private func handle(_ message: LoopMessage, _ now: Duration) {
        switch message {
        case .run(let job): take(job, now)
        case .cancel(let id): cancel(job: id, now)
        case .giveBack(let session): giveBack(session)
        case .found(let id, let addresses):
            if let link = links[id] { happened(link.found(addresses, now), on: link, now) }
        case .close(let done):
            whenClosed.append(done)
            close()
        case .abandon:
            close()
        }
    }

    /// Nobody will handle it any more.
    private func refuse(_ message: LoopMessage) {
        switch message {
        case .run(let job): job.reply([.failure(.closed)])
        case .close(let done): done()
        case .cancel, .giveBack, .found, .abandon: break
        }
    }

    /// Takes no more sessions; those that are on finish.
    private func close() {
        isClosing = true
        for job in waiting { job.reply([.failure(.closed)]) }
        waiting = []
        let lent = Set(sessions.values)
        for link in Array(links.values) where !lent.contains(link.id) { drop(link) }
    }

    private func take(_ job: Job, _ now: Duration) {
        if job.isCancelled.withLock({ $0 }) { return job.reply([.failure(.cancelled)]) }
        if let id = sessions[job.session] {
            // Nothing is sent any more, so that nobody has to wonder whether it was done.
            if job.deadline <= now { return job.reply([.failure(.timeIsOver)]) }
            guard let link = links[id] else { return job.reply([.failure(.connectionLost(isAmbiguous: false))]) }
            return happened(link.start(job, now), on: link, now)
        }
        if isClosing { return job.reply([.failure(.closed)]) }
        if waiting.count >= configuration.maxWaiting { return job.reply([.failure(.tooManyWaiting)]) }
        waiting.append(job)
    }

    private func cancel(job id: UInt64, _ now: Duration) {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            return waiting.remove(at: index).reply([.failure(.cancelled)])
        }
        for link in links.values {
            if case .busy(let exchange) = link.state, exchange.job.id == id { link.cancel(now) }
        }
    }

    private func giveBack(_ session: UInt64) {
        guard let id = sessions.removeValue(forKey: session), let link = links[id] else { return }
        if link.isReusable, !isClosing { link.rest() } else { drop(link) }
    }

    func drop(_ link: Link) {
        link.end()
        links[link.id] = nil
    }

    // MARK: - Events

    func happened(_ event: Link.Event, on link: Link, _ now: Duration) {
        switch event {
        case .nothing: break
        case .connected: preferredHost = link.host
        case .answered(let job, let outcome, let isBroken):
            if isBroken { drop(link) }
            job.reply(outcome)
        case .broke: drop(link)
        case .failed(let error):
            drop(link)
            connectFailed(link, error, now)
        }
    }

    /// Tells whoever waited for it, unless another connection will do for them.
    private func connectFailed(_ link: Link, _ error: PostgresError, _ now: Duration) {
        preferredHost = (link.host + 1) % configuration.hosts.count
        let hasOthers = links.values.contains { $0.database == link.database && !$0.isConnecting }
        if error.sqlState == .tooManyConnections, links.values.contains(where: { $0.database == link.database }) {
            crowdedUntil = now + .seconds(1)
            return
        }
        let failed = waiting.filter { $0.id <= link.openedFor && database(of: $0) == link.database }
        let told = hasOthers ? Array(failed.prefix(1)) : failed
        let ids = Set(told.map(\.id))
        waiting.removeAll { ids.contains($0.id) }
        for job in told { job.reply([.failure(error)]) }
    }

    func database(of job: Job) -> String { job.database ?? configuration.database }

    private func expire(_ now: Duration) {
        for link in Array(links.values) {
            if let deadline = link.deadline, deadline <= now { happened(link.expire(now), on: link, now) }
        }
        guard waiting.contains(where: { $0.deadline <= now }) else { return }
        let late = waiting.filter { $0.deadline <= now }
        waiting.removeAll { $0.deadline <= now }
        for job in late {
            let isConnecting = links.values.contains { $0.isConnecting && $0.database == database(of: job) }
            // With room for another connection, it is not the pool that there was too little of.
            let hasRoom = links.count < configuration.maxConnections
            job.reply([.failure(.noConnection(isConnecting: isConnecting || hasRoom))])
        }
    }

    private var nextDeadline: Duration? {
        var next = links.values.compactMap(\.deadline).min()
        if let waits = waiting.map(\.deadline).min() { next = min(next ?? waits, waits) }
        // Whoever was kept from connecting tries again then.
        if !waiting.isEmpty, crowdedUntil > .zero { next = min(next ?? crowdedUntil, crowdedUntil) }
        return next
    }

    // MARK: - Polling

    /// The links whose sockets are ready.
    private func poll(for wait: Duration?) -> [UInt64] {
        var ids: [UInt64] = [0]
        var entries = [pollfd(fd: mailbox.wakeUp.reading, events: Int16(POLLIN), revents: 0)]
        for link in links.values {
            guard let interest = link.interest else { continue }
            ids.append(link.id)
            entries.append(pollfd(fd: interest.descriptor, events: interest.events, revents: 0))
        }
        _ = systemPoll(&entries, wait)
        if entries[0].revents != 0 { mailbox.wakeUp.quiet() }
        return zip(ids, entries).dropFirst().filter { $1.revents != 0 }.map(\.0)
    }
}

/// `poll`, in whole milliseconds, rounded up so that a deadline has come when it returns.
private func systemPoll(_ entries: inout [pollfd], _ wait: Duration?) -> Int32 {
    var milliseconds: Int32 = -1
    if let wait {
        let (seconds, attoseconds) = wait.components
        // An hour at most: it is a matter of taste, and fits into the number.
        milliseconds =
            Int32(min(seconds, 3_600)) * 1_000 + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
    return poll(&entries, nfds_t(entries.count), milliseconds)
}
