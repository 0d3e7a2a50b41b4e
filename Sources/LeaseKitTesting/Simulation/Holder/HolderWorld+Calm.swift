// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What has to be so when faults have been over for a quarter of an hour.
extension HolderWorld {
    func checkConvergence() async {
        for (number, credential) in credentials.enumerated() {
            guard let held = credential.current, target.check(held.secret) else {
                violate(6, "\(roles[number]) has nothing that works, a quarter of an hour after the last fault")
                continue
            }
        }
        await checkUnwanted(besides: Set(credentials.compactMap { $0.current?.lease }))
        await checkOrders()
        checkEvents()
    }

    /// After everything was given back.
    func checkNothingIsLeft() async {
        await time.advance(by: .seconds(60))
        await checkUnwanted(besides: [])
    }

    /// Invariant 6: nothing is live but what is wanted, what nobody got an answer about, and what needs a person.
    private func checkUnwanted(besides wanted: Set<LeaseID>) async {
        guard let records = try? await manager.page(limit: 1_000).records else { return }
        var known: Set<LeaseID> = []
        for record in records {
            known.insert(record.id)
            if record.state == .stuck { count("stuck") }
            guard isActive(record), !wanted.contains(record.id) else { continue }
            if audit.grants[record.id] == nil {
                count("nobody's")
                continue
            }
            // A scope tells its broker once, and waits for nothing: what cannot be told runs to its end.
            let isScope = record.path.hasPrefix("sessions/") || record.path.hasSuffix("/scope")
            if isScope, audit.unwanted.contains(record.id), !audit.given.contains(record.id) {
                count("left to its end")
                continue
            }
            violate(6, "\(record.path) is active, and nobody wants it")
        }
        for credential in target.liveCredentials where credential.mark.map({ !known.contains($0.lease) }) ?? true {
            violate(6, "\(credential.name) is live, and no record names it")
        }
    }

    /// Invariant 5: what others asked for has an outcome, or is seen as stuck.
    private func checkOrders() async {
        for order in orders {
            guard let report = try? await manager.report(of: order) else { continue }
            count("orders looked at")
            if report.isComplete { continue }
            // A wait between two attempts may be as long as this calm; what is tried has to be named, and stuck has to show.
            let named = report.remaining.count
            let isVisible = named >= report.stillTried + report.stuck
            let isSeenAsStuck = report.remaining.count { $0.state == .stuck } == report.stuck
            if !isVisible || !isSeenAsStuck { violate(5, "\(report), and \(named) of them are named") }
        }
    }

    /// Invariants 5 and 8: one end for each lease, and a path of states that begins with its issue.
    private func checkEvents() {
        var told: [LeaseID: [LeaseEvent]] = [:]
        for event in log.events { if let lease = event.lease { told[lease, default: []].append(event) } }
        for (lease, events) in told {
            if events.count(where: { $0.outcome != nil && $0.path.hasPrefix("database/") }) > 1 {
                violate(5, "lease \(lease) ended more than once")
            }
            if audit.grants[lease] != nil, events.count(where: { $0.kind == .issued }) != 1 {
                violate(8, "the events of lease \(lease) do not tell that it was issued")
            }
            checkPath(lease, events)
        }
    }

    private func checkPath(_ lease: LeaseID, _ events: [LeaseEvent]) {
        var versions: [UInt32: LeaseState] = [:]
        for event in events where event.generation > 0 {
            guard let state = event.state else { continue }
            if let known = versions[event.generation], known != state {
                violate(8, "version \(event.generation) of lease \(lease) was told as \(known) and as \(state)")
            }
            versions[event.generation] = state
        }
        let path = versions.sorted { $0.key < $1.key }.map(\.value)
        for (before, after) in zip(path, path.dropFirst()) where !before.leads(to: after) {
            violate(8, "the events of lease \(lease) lead from \(before) to \(after)")
        }
    }
}
