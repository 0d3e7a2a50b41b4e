// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Entries of removed leases in the indexes by id and by path, which are taken out later, many at a time and in order.
///
/// Ids are random, so that leases that end together lie apart in the index by id: of a large table nearly each one takes a page
/// of its own to be read, logged and moved, which costs more than all else of a removal together. Paths are
/// only a little better. So a removal writes down what it leaves behind (table `gone`), and once enough has gathered, the commits that follow
/// each take a stretch of it out, in the order of the index: then many lie on a page.
///
/// Nobody sees what is left behind: an entry leads to a row by its sequence, and no sequence is ever used again.
package struct Leftovers {
    /// When entries are left behind, and for how long.
    package struct Limits: Hashable, Sendable {
        /// How many leases a table has whose removals leave entries behind; a smaller one is quick without.
        package var table = 131_072
        /// How many entries gather before they are taken out.
        package var generation = 32_768
        /// How many may gather at one path: whoever reads a page of it has to pass them.
        package var path = 512

        package init() {}
    }

    /// What one removed lease left behind.
    struct Entry {
        let name: LeaseID
        let sequence: Int64
        let place: Int64
    }

    /// A lease's entry in the index by path.
    struct PathEntry {
        let place: Int64
        let sequence: Int64
    }

    let limits: Limits
    /// The number of the newest row that tells of them.
    private(set) var newest: Int64 = 0
    private var gathering: [Entry] = []
    private var atPaths: [Int64: [Int64]] = [:]

    // What is being taken out, in the order of each index from its end.
    private var names: [LeaseID] = []
    private var sequences: [Int64] = []
    private var paths: [PathEntry] = []
    private var oldest: Int64 = 0
    private var last: Int64 = -1

    init(_ limits: Limits) { self.limits = limits }

    /// How many wait or are being taken out.
    var count: Int { gathering.count + names.count }

    /// Whether a generation is being taken out.
    var isUnderWay: Bool { !names.isEmpty || !paths.isEmpty || oldest <= last }

    /// Notes an entry that was left behind, under the number of its row.
    mutating func add(_ entry: Entry, number: Int64) {
        if newest == 0 { (oldest, last) = (number, number - 1) }
        newest = number
        gathering.append(entry)
        atPaths[entry.place, default: []].append(entry.sequence)
    }

    /// What has to be taken out of the index by path at once, because too much has gathered at one of them.
    mutating func crowd(at place: Int64) -> [PathEntry] {
        guard let crowd = atPaths[place], crowd.count >= limits.path else { return [] }
        atPaths[place] = nil
        return crowd.map { PathEntry(place: place, sequence: $0) }
    }

    /// Has what has gathered be taken out, when it is enough or nothing more will come.
    mutating func begin(isLast: Bool) {
        if isUnderWay || gathering.isEmpty || gathering.count < limits.generation && !isLast { return }
        // From the end of each, because that is where arrays are quick.
        let order = gathering.sorted { ($0.name.high, $0.name.low) > ($1.name.high, $1.name.low) }
        (names, sequences) = (order.map(\.name), order.map(\.sequence))
        paths = atPaths.sorted { $0.key > $1.key }.flatMap { place, sequences in
            sequences.sorted(by: >).map { PathEntry(place: place, sequence: $0) }
        }
        (gathering, atPaths) = ([], [:])
        last = newest
    }

    /// The next one to be taken out of the index by id.
    mutating func nextName() -> (name: LeaseID, sequence: Int64)? {
        guard let name = names.popLast(), let sequence = sequences.popLast() else { return nil }
        return (name, sequence)
    }

    /// The next one to be taken out of the index by path.
    mutating func nextPath() -> PathEntry? { paths.popLast() }

    /// The rows that may be forgotten because what they tell of is done, up to so many.
    mutating func nextRows(_ limit: Int) -> ClosedRange<Int64>? {
        guard names.isEmpty, paths.isEmpty, oldest <= last, limit > 0 else { return nil }
        let rows = oldest...min(last, oldest + Int64(limit) - 1)
        oldest = rows.upperBound + 1
        return rows
    }
}
