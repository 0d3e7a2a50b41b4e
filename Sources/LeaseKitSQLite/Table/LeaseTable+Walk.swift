// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    /// What a walk does after a lease.
    enum WalkStep { case goOn, readAgain, stop }

    /// Walks the leases at and below a prefix: path by path, mount by mount, and by sequence within each.
    ///
    /// It starts behind a position and leaves out what is newer than `cutoff`. True when the end was reached. A position is only
    /// good for the prefix and mount that it comes from.
    func walk(
        _ prefix: String,
        _ mount: MountID?,
        from start: WalkPosition?,
        upTo cutoff: Int64 = .max,
        page: Int,
        _ body: (WalkPosition, Row) throws -> WalkStep
    ) throws -> Bool {
        var after = start?.sequence ?? 0
        var current = try start.flatMap { start in
            try place(at: start.path, of: MountID(rawValue: start.mount), make: false)
        }
        // The path of the position may be gone meanwhile; the walk goes on behind it.
        if current == nil {
            current = try nextPlace(after: start.map { ($0.path, $0.mount) }, prefix, mount)
            after = 0
        }
        while let place = current {
            var isOver = false
            while !isOver {
                sql.inPlace.bind(1, place.id)
                sql.inPlace.bind(2, after)
                sql.inPlace.bind(3, cutoff)
                sql.inPlace.bind(4, page)
                let found = try rows(sql.inPlace)
                isOver = found.count < page
                reading: for row in found {
                    let position = WalkPosition(path: place.path, mount: place.mount.rawValue, sequence: row.sequence)
                    switch try body(position, row) {
                    case .stop: return false
                    case .goOn: after = row.sequence
                    case .readAgain:
                        after = row.sequence
                        isOver = false
                        break reading
                    }
                }
            }
            current = try nextPlace(after: (place.path, place.mount.rawValue), prefix, mount)
            after = 0
        }
        return true
    }

    /// The next place of a walk: the prefix itself, then what lies below it.
    private func nextPlace(after last: (path: String, mount: UInt32)?, _ prefix: String, _ mount: MountID?) throws
        -> Place?
    {
        if prefix.isEmpty { return try nextPlace(after: last ?? ("", 0), below: nil, mount) }
        if let last, last.path != prefix {
            return try nextPlace(after: last, below: prefix + "0", mount)
        }
        let own = try places(at: prefix).first {
            (last == nil || $0.mount.rawValue > (last?.mount ?? 0)) && (mount == nil || $0.mount == mount)
        }
        // "0" is what follows "/": every path below the prefix lies between the two.
        return try own ?? nextPlace(after: (prefix + "/", 0), below: prefix + "0", mount)
    }

    private func nextPlace(after last: (path: String, mount: UInt32), below end: String?, _ mount: MountID?) throws
        -> Place?
    {
        if let mount {
            sql.nextPlaceOfMount.bind(1, mount.rawValue)
            sql.nextPlaceOfMount.bind(2, last.path)
            bindEnd(sql.nextPlaceOfMount, end)
            return try readPlaces(sql.nextPlaceOfMount).first
        }
        sql.nextPlace.bind(1, last.path)
        sql.nextPlace.bind(2, last.mount)
        bindEnd(sql.nextPlace, end)
        return try readPlaces(sql.nextPlace).first
    }

    private func bindEnd(_ statement: borrowing Statement, _ end: String?) {
        // Every text comes before every blob.
        if let end { statement.bind(3, end) } else { statement.bind(3, [UInt8]()) }
    }
}
