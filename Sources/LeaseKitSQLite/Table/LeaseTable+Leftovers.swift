// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    /// Takes a removed lease out of the indexes by id and by path: at once, or later with many others.
    func leave(_ row: Row) throws {
        removals += 1
        if !leavesEntries {
            try takeOut(row.record.id, row.sequence)
            return try takeOut(Leftovers.PathEntry(place: row.place.id, sequence: row.sequence))
        }
        let number = leftovers.newest + 1
        sql.insertGone.bind(1, number)
        sql.insertGone.bind(2, row.record.id)
        sql.insertGone.bind(3, row.sequence)
        sql.insertGone.bind(4, row.place.id)
        try sql.insertGone.run("write what a lease leaves behind")
        let entry = Leftovers.Entry(name: row.record.id, sequence: row.sequence, place: row.place.id)
        leftovers.add(entry, number: number)
        for path in leftovers.crowd(at: row.place.id) { try takeOut(path) }
    }

    /// Takes out a stretch of what was left behind: before a commit, as much more as it removes leases.
    func takeOutLeftovers(all: Bool = false) throws {
        if leftovers.count == 0 && !leftovers.isUnderWay { return }
        if all {
            hasChanges = true
            removals += 1
            // What is under way, and then what has gathered since.
            for _ in 1...2 {
                try takeOut(.max)
                leftovers.begin(isLast: true)
            }
            return try takeOut(.max)
        }
        leftovers.begin(isLast: !leavesEntries)
        // Three steps a lease: of two indexes and of the row that tells of it. After a crash there may be more of them.
        try takeOut(removals * (leftovers.count > 3 * leftovers.limits.generation ? 16 : 4))
    }

    private func takeOut(_ limit: Int) throws {
        var left = limit
        while left > 0, let (name, sequence) = leftovers.nextName() {
            try takeOut(name, sequence)
            left -= 1
        }
        while left > 0, let path = leftovers.nextPath() {
            try takeOut(path)
            left -= 1
        }
        guard let rows = leftovers.nextRows(min(left, 1 << 20)) else { return }
        sql.deleteGone.bind(1, rows.lowerBound)
        sql.deleteGone.bind(2, rows.upperBound)
        try sql.deleteGone.run("forget what a lease left behind")
    }

    private func takeOut(_ name: LeaseID, _ sequence: Int64) throws {
        sql.deleteName.bind(1, name)
        sql.deleteName.bind(2, sequence)
        try sql.deleteName.run("remove an id")
    }

    private func takeOut(_ path: Leftovers.PathEntry) throws {
        sql.deletePlaced.bind(1, path.place)
        sql.deletePlaced.bind(2, path.sequence)
        try sql.deletePlaced.run("remove a lease from its path")
    }

    /// Reads what was left behind and not taken out: never more than a few generations of it.
    func loadLeftovers() throws {
        leftovers = Leftovers(leftovers.limits)
        removals = 0
        while try sql.readGone.next("read what leases left behind") {
            let name = sql.readGone.leaseID(1) ?? LeaseID(high: 0, low: 0)
            let entry = Leftovers.Entry(name: name, sequence: sql.readGone.integer(2), place: sql.readGone.integer(3))
            leftovers.add(entry, number: sql.readGone.integer(0))
        }
    }

    /// Whether the table is so large that removals leave entries behind.
    func countForLeftovers() {
        leavesEntries = mounts.values.reduce(0) { $0 + $1.tally.total } >= leftovers.limits.table
    }
}
