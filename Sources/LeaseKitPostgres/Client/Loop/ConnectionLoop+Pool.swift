// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Who gets which connection, and when a new one is opened.
extension ConnectionLoop {
    /// Gives connections to those who wait, the oldest first, and opens what is missing.
    func dispatch(_ now: Duration) {
        if crowdedUntil <= now { crowdedUntil = .zero }
        var index = 0
        /// How many wait for each database, up to here.
        var queued: [String: Int] = [:]
        while index < waiting.count {
            let database = database(of: waiting[index])
            if let link = idleLink(for: database) {
                // It may have gone while it lay there: then the next one, or a new one.
                guard link.isAlive else {
                    drop(link)
                    continue
                }
                let job = waiting.remove(at: index)
                link.lend(now)
                sessions[job.session] = link.id
                happened(link.start(job, now), on: link, now)
                continue
            }
            let count = queued[database, default: 0] + 1
            queued[database] = count
            let opening = links.values.count { $0.isConnecting && $0.database == database }
            if opening < count {
                let waited = waiting.count
                if open(database, now) {
                    // One that failed at once has told those who waited for it: the list is another, so begin again.
                    if waiting.count < waited {
                        index = 0
                        queued = [:]
                        continue
                    }
                } else if !links.values.contains(where: \.isIdle) {
                    // Without a free place the rest can only be served by what is idle.
                    return
                }
            }
            index += 1
        }
    }

    /// The one that was used last: the others may grow old and go.
    private func idleLink(for database: String) -> Link? {
        links.values.filter { $0.isIdle && $0.database == database }.max { $0.idleSince < $1.idleSince }
    }

    /// Opens a connection if there is room for one, or can be made; false if not.
    private func open(_ database: String, _ now: Duration) -> Bool {
        if crowdedUntil > now, !links.isEmpty { return false }
        if links.count >= configuration.maxConnections {
            let others = links.values.filter { $0.isIdle && $0.database != database }
            guard let oldest = others.min(by: { $0.idleSince < $1.idleSince }) else { return false }
            drop(oldest)
        }
        lastLink += 1
        let mailbox = mailbox
        let link = Link(
            id: lastLink,
            database: database,
            openedFor: waiting.last?.id ?? 0,
            firstHost: preferredHost,
            configuration: configuration
        ) { id, name in
            NativeThread.start { mailbox.post(.found(link: id, addresses: AddressLookup.slow(name))) }
        }
        links[link.id] = link
        happened(link.open(now), on: link, now)
        return true
    }
}

extension Link {
    fileprivate var isIdle: Bool {
        if case .idle = state { true } else { false }
    }

    fileprivate var idleSince: Duration {
        if case .idle(let since) = state { since } else { .zero }
    }
}
