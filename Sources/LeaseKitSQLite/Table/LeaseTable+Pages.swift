// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    func page(_ query: LeaseQuery, after cursor: LeaseCursor?, limit: Int) throws -> LeasePage {
        guard (1...LeasePage.maximumSize).contains(limit) else {
            throw LeaseError(
                .invalidRequest,
                "a page of \(limit) leases was asked for; ask for 1 to \(LeasePage.maximumSize)"
            )
        }
        let position = try cursor?.position(for: query, store: life.deployment)
        var reader = PageReader(query: query, limit: limit)
        if let parent = query.parent {
            try read(&reader, after: position) { after, limit in
                sql.children.bind(1, parent)
                return try rows(sql.children, after, limit)
            }
        } else if let order = query.order {
            try read(&reader, after: position) { after, limit in
                sql.ofOrder.bind(1, order.rawValue)
                sql.ofMembership.bind(1, order.rawValue)
                return try merged(try rows(sql.ofOrder, after, limit), try rows(sql.ofMembership, after, limit), limit)
            }
        } else if let state = query.state, state != .active {
            let phase = Int64(state.rawValue)
            try read(&reader, after: position) { after, limit in
                sql.inPhase.bind(1, phase)
                let free = try rows(sql.inPhase, after, limit)
                sql.inPhase.bind(1, phase + Row.Shape.claimed)
                return try merged(free, try rows(sql.inPhase, after, limit), limit)
            }
        } else if let owner = query.owner {
            guard let entry = try self.owner(named: owner, make: false) else {
                return LeasePage(records: [], next: nil)
            }
            try read(&reader, after: position) { after, limit in
                sql.ofOwner.bind(1, entry.id)
                return try rows(sql.ofOwner, after, limit)
            }
        } else {
            try readPlaces(query, after: position, &reader)
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

        mutating func take(_ row: Row) {
            if query.matches(row.record) { records.append(row.record) }
        }
    }

    private func rows(_ statement: borrowing Statement, _ after: Int64, _ limit: Int) throws -> [Row] {
        statement.bind(2, after)
        statement.bind(3, limit)
        return try rows(statement)
    }

    private func merged(_ lhs: [Row], _ rhs: [Row], _ limit: Int) throws -> [Row] {
        if rhs.isEmpty { return lhs }
        return Array((lhs + rhs).sorted { $0.sequence < $1.sequence }.prefix(limit))
    }

    /// Reads by sequence, one row more than a page so that the last page is known to be one.
    private func read(
        _ reader: inout PageReader,
        after position: String?,
        _ fetch: (_ after: Int64, _ limit: Int) throws -> [Row]
    ) throws {
        var after = try Self.number(position)
        while true {
            let found = try fetch(after, reader.limit + 1)
            for row in found {
                guard reader.goesOn() else { return }
                reader.take(row)
                after = row.sequence
                reader.last = "\(after)"
            }
            if found.count <= reader.limit { return }
        }
    }

    private func readPlaces(_ query: LeaseQuery, after position: String?, _ reader: inout PageReader) throws {
        let start = try Self.place(position)
        var last = start
        let isOver = try walk(query.prefix ?? "", query.mount, from: start, page: reader.limit + 1) { position, row in
            guard reader.goesOn() else { return .stop }
            reader.take(row)
            last = position
            return .goOn
        }
        reader.next = isOver ? nil : last.map { "\($0.sequence):\($0.mount):\($0.path)" }
    }

    // MARK: - Positions

    private static func number(_ position: String?) throws -> Int64 {
        guard let position else { return 0 }
        guard let number = Int64(position) else { throw unreadable }
        return number
    }

    private static func place(_ position: String?) throws -> WalkPosition? {
        guard let position else { return nil }
        let parts = position.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let sequence = Int64(parts[0]), let mount = UInt32(parts[1]) else { throw unreadable }
        return WalkPosition(path: String(parts[2]), mount: mount, sequence: sequence)
    }

    private static var unreadable: LeaseError {
        LeaseError(.invalidCursor, "this cursor cannot be read; start again without a cursor")
    }

    // MARK: - Counts

    func counts(_ scope: LeaseCountScope) throws -> LeaseCounts {
        var counts = LeaseCounts()
        switch scope {
        case .all: for mount in mounts.values { counts += mount.tally.counts }
        case .mount(let id): return mounts[id]?.tally.counts ?? counts
        case .path(let path): for place in try places(at: path) { counts += place.tally.counts }
        case .owner(let name): return try owner(named: name, make: false)?.tally.counts ?? counts
        case .children(let parent):
            sql.phasesOfChildren.bind(1, parent)
            while try sql.phasesOfChildren.next("count children") {
                if let state = Row.Shape.state(of: sql.phasesOfChildren.optionalInteger(0)) {
                    counts[state] += sql.phasesOfChildren.count(1)
                }
            }
        }
        return counts
    }
}
