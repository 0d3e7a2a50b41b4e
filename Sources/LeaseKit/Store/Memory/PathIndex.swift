// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Everything at one path.
final class PathEntry {
    let path: String
    let hash: UInt64
    let number: UInt32
    @exclusivity(unchecked) var counts = StateCounts()
    @exclusivity(unchecked) var rows = SequenceList()
    /// The mounts that have leases here, nearly always one.
    @exclusivity(unchecked) var mounts: [(mount: MemoryMount, count: Int)] = []
    /// The role version that came last: the next lease nearly always has the same.
    @exclusivity(unchecked) var lastRole = MemoryRow.none

    init(path: String, hash: UInt64, number: UInt32) {
        self.path = path
        self.hash = hash
        self.number = number
    }
}

/// The paths that have leases: by name, and sorted segment by segment for everything below a prefix.
struct PathIndex {
    /// A place in the sorted paths, good until a path comes or goes.
    struct Place {
        var chunk: Int
        var offset: Int
    }

    private static let capacity = 256
    private var entries: ContiguousArray<PathEntry?> = []
    private var free: [UInt32] = []
    private let index = SlotIndex()
    private var sorted: ContiguousArray<ContiguousArray<PathEntry>> = []

    @inline(__always)
    subscript(_ number: UInt32) -> PathEntry? { entries[Int(number)] }

    func find(_ path: String) -> PathEntry? { find(path, path.byteHash) }

    private func find(_ path: String, _ hash: UInt64) -> PathEntry? {
        index.find(hash) { entries[Int($0)]?.path.hasSameBytes(as: path) ?? false }.flatMap { entries[Int($0)] }
    }

    mutating func entry(for path: String) -> PathEntry {
        let hash = path.byteHash
        if let entry = find(path, hash) { return entry }
        let number = free.popLast() ?? UInt32(entries.count)
        let entry = PathEntry(path: path, hash: hash, number: number)
        if Int(number) == entries.count { entries.append(entry) } else { entries[Int(number)] = entry }
        index.insert(hash, number)
        sort(in: entry)
        return entry
    }

    mutating func drop(_ entry: PathEntry) {
        index.remove(entry.hash, entry.number)
        entries[Int(entry.number)] = nil
        free.append(entry.number)
        let place = firstPlace(from: entry.path)
        sorted[place.chunk].remove(at: place.offset)
        if sorted[place.chunk].isEmpty { sorted.remove(at: place.chunk) }
    }

    /// The first path that does not come before this one.
    func firstPlace(from path: String) -> Place {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            let last = sorted[middle][sorted[middle].count - 1]
            if Self.precedes(last.path, path) { low = middle + 1 } else { high = middle }
        }
        guard low < sorted.count else { return Place(chunk: low, offset: 0) }
        let chunk = low
        (low, high) = (0, sorted[chunk].count)
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(sorted[chunk][middle].path, path) { low = middle + 1 } else { high = middle }
        }
        return Place(chunk: chunk, offset: low)
    }

    func entry(at place: Place) -> PathEntry? {
        place.chunk < sorted.count ? sorted[place.chunk][place.offset] : nil
    }

    func place(after place: Place) -> Place {
        place.offset + 1 < sorted[place.chunk].count
            ? Place(chunk: place.chunk, offset: place.offset + 1)
            : Place(chunk: place.chunk + 1, offset: 0)
    }

    private mutating func sort(in entry: PathEntry) {
        var place = firstPlace(from: entry.path)
        if place.chunk == sorted.count {
            if let last = sorted.last, last.count < Self.capacity {
                place = Place(chunk: sorted.count - 1, offset: last.count)
            } else {
                sorted.append([])
            }
        }
        sorted[place.chunk].insert(entry, at: place.offset)
        guard sorted[place.chunk].count > Self.capacity else { return }
        let upper = ContiguousArray(sorted[place.chunk][(Self.capacity / 2)...])
        sorted[place.chunk].removeLast(upper.count)
        sorted.insert(upper, at: place.chunk + 1)
    }

    /// Whether a path comes before another, with the slash below every other byte, so that whatever lies under a prefix
    /// is in one piece.
    static func precedes(_ lhs: String, _ rhs: String) -> Bool {
        lhs.utf8.lexicographicallyPrecedes(rhs.utf8) { rank($0) < rank($1) }
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }
}
