// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    func page(_ query: LeaseQuery, after cursor: LeaseCursor?, limit: Int) throws(LeaseError) -> LeasePage {
        guard (1...LeasePage.maximumSize).contains(limit) else {
            throw LeaseError(
                .invalidRequest,
                "a page of \(limit) leases was asked for; ask for 1 to \(LeasePage.maximumSize)"
            )
        }
        let position = try cursor.map { cursor throws(LeaseError) in
            try cursor.position(for: query, store: life.deployment)
        }
        var reader = PageReader(query: query, limit: limit)
        if let parent = query.parent {
            readChildren(of: parent, after: try Self.number(position), &reader)
        } else if let state = query.state, state != .active {
            read(unusual[Int(state.rawValue)], after: try Self.number(position), &reader)
        } else if let owner = query.owner {
            if let entry = owners.find(owner) { read(entry.rows, after: try Self.number(position), &reader) }
        } else {
            readPaths(query, after: try Self.place(position), &reader)
        }
        let next = reader.next.map { LeaseCursor(position: $0, query: query, store: life.deployment) }
        return LeasePage(records: reader.records, next: next)
    }

    /// Collects one page, and looks at a bounded number of rows for it.
    private struct PageReader {
        let query: LeaseQuery
        let limit: Int
        var looks: Int
        var records: [LeaseRecord] = []
        var next: String?
        /// The position of the row that was looked at last.
        var last = ""

        init(query: LeaseQuery, limit: Int) {
            self.query = query
            self.limit = limit
            looks = limit * 10
        }

        /// False when the page is full or enough was looked at; the row that it was asked about is then the next one.
        mutating func goesOn() -> Bool {
            if records.count < limit && looks > 0 {
                looks -= 1
                return true
            }
            next = last
            return false
        }
    }

    private func read(_ list: SequenceList, after sequence: UInt64, _ reader: inout PageReader) {
        list.forEach(after: sequence) { sequence, slot in
            guard reader.goesOn() else { return false }
            take(slot, &reader)
            reader.last = "\(sequence)"
            return true
        }
    }

    private func readChildren(of parent: LeaseID, after ordinal: UInt64, _ reader: inout PageReader) {
        var position = LeaseTree.Position(rawValue: ordinal)
        while let child = tree.child(of: parent, after: position), reader.goesOn() {
            if let slot = slot(of: child.id) { take(slot, &reader) }
            position = child.position
            reader.last = "\(position.rawValue)"
        }
    }

    private func readPaths(
        _ query: LeaseQuery,
        after start: (path: String, sequence: UInt64)?,
        _ reader: inout PageReader
    ) {
        var prefix = query.prefix ?? ""
        if let id = query.mount {
            guard let mount = mounts[id] else { return }
            if mount.strayPaths == 0, let own = mount.registration?.path, LeasePath.lies(own, under: prefix) {
                prefix = own
            }
        }
        var last: (path: String, sequence: UInt64)?
        let isOver = walk(prefix, query.mount, from: start ?? (prefix, 0)) { path, sequence, slot in
            guard reader.goesOn() else { return false }
            if let slot { take(slot, &reader) }
            last = (path, slot == nil && sequence == 0 ? .max : sequence)
            return true
        }
        if !isOver { reader.next = last.map { "\($0.sequence):\($0.path)" } }
    }

    private func take(_ slot: UInt32, _ reader: inout PageReader) {
        let row = rows.pointer(slot)
        if reader.query.matches(row.pointee.record) { reader.records.append(row.pointee.record) }
    }

    // MARK: - Positions

    private static func number(_ position: String?) throws(LeaseError) -> UInt64 {
        guard let position else { return 0 }
        guard let number = UInt64(position) else { throw unreadable }
        return number
    }

    private static func place(_ position: String?) throws(LeaseError) -> (path: String, sequence: UInt64)? {
        guard let position else { return nil }
        let parts = position.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = UInt64(parts[0]) else { throw unreadable }
        return (String(parts[1]), sequence)
    }

    private static var unreadable: LeaseError {
        LeaseError(.invalidCursor, "this cursor cannot be read; start again without a cursor")
    }

    // MARK: - Counts

    func counts(_ scope: LeaseCountScope) -> LeaseCounts {
        switch scope {
        case .all: return counts.counts
        case .mount(let id): return mounts[id]?.counts.counts ?? LeaseCounts()
        case .path(let path): return paths.find(path)?.counts.counts ?? LeaseCounts()
        case .owner(let owner): return owners.find(owner)?.counts.counts ?? LeaseCounts()
        case .children(let parent):
            var counts = StateCounts()
            for child in tree.children(of: parent).ids {
                if let slot = slot(of: child) { counts[rows.pointer(slot).pointee.record.state] += 1 }
            }
            return counts.counts
        }
    }
}
