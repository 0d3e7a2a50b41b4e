// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What workers have in their hands, and when each claim lapses.
///
/// Kept in memory, beside the rows: a claim outlives neither its worker nor the opening of the database, so that the index of what
/// is due need not be written for it twice. It holds as many entries as there are claims, never as many as there are leases.
struct ClaimShelf {
    private var entries: [LeaseID: Entry] = [:]
    /// The first to lapse; forgotten when that one goes.
    private var earliest: [Key: LeaseInstant] = [:]

    struct Entry {
        let sequence: Int64
        let mount: MountID
        let urgency: LeaseUrgency
        let lapsesAt: LeaseInstant

        fileprivate var key: Key { Key(mount: mount, urgency: urgency) }
    }

    fileprivate struct Key: Hashable {
        let mount: MountID
        let urgency: LeaseUrgency
    }

    /// Notes what became of a lease: claimed, claimed until another time, or not claimed any more.
    mutating func note(_ record: borrowing LeaseRecord) {
        forget(record.id)
        guard record.claim != nil else { return }
        let entry = Entry(
            sequence: Int64(bitPattern: record.sequence),
            mount: record.mount,
            urgency: record.urgency,
            lapsesAt: record.due
        )
        entries[record.id] = entry
        if let known = earliest[entry.key] {
            earliest[entry.key] = min(known, entry.lapsesAt)
        } else if entries.count == 1 {
            earliest[entry.key] = entry.lapsesAt
        }
    }

    /// Forgets a lease that is gone.
    mutating func forget(_ id: LeaseID) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        if earliest[entry.key] == entry.lapsesAt { earliest[entry.key] = nil }
    }

    /// When the first claim at a mount lapses.
    mutating func nextLapse(_ mount: MountID, _ urgency: LeaseUrgency) -> LeaseInstant? {
        if entries.isEmpty { return nil }
        let key = Key(mount: mount, urgency: urgency)
        if let known = earliest[key] { return known }
        let found = entries.values.lazy.filter { $0.key == key }.map(\.lapsesAt).min()
        earliest[key] = found
        return found
    }

    /// The leases whose claims have lapsed, those first that lapsed first.
    mutating func lapsed(_ mount: MountID, _ urgency: LeaseUrgency, at now: LeaseInstant) -> [LeaseID] {
        guard let next = nextLapse(mount, urgency), next <= now else { return [] }
        let key = Key(mount: mount, urgency: urgency)
        return entries.filter { $0.value.key == key && $0.value.lapsesAt <= now }
            .sorted { ($0.value.lapsesAt, $0.value.sequence) < ($1.value.lapsesAt, $1.value.sequence) }
            .map(\.key)
    }
}
