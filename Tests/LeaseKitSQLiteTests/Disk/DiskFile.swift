// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting

/// A file as a program sees it, and what of it would survive a power cut.
struct DiskFile {
    private(set) var content: [UInt8] = []
    /// What is on the disk for sure; nil while not even the name is.
    private(set) var synced: [UInt8]?
    /// What was done since the last sync, in order.
    private var unsynced: [Change] = []

    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)

        func apply(to content: inout [UInt8]) {
            switch self {
            case .write(let offset, let bytes):
                let end = offset + bytes.count
                if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
                content.replaceSubrange(offset..<end, with: bytes)
            case .truncate(let size):
                if content.count > size { content.removeLast(content.count - size) }
            }
        }
    }

    init() {}

    /// A file that is on the disk.
    init(synced content: [UInt8]) { (self.content, synced) = (content, content) }

    mutating func write(_ bytes: [UInt8], at offset: Int) { change(.write(offset: offset, bytes: bytes)) }

    mutating func truncate(to size: Int) { change(.truncate(size)) }

    private mutating func change(_ change: Change) {
        change.apply(to: &content)
        unsynced.append(change)
    }

    mutating func sync() {
        var image = synced ?? []
        for change in unsynced { change.apply(to: &image) }
        (synced, unsynced) = (image, [])
    }

    /// A sync that failed: what it was about still shows, and is never written.
    mutating func failToSync() { unsynced = [] }

    /// The file after a power cut; nil when there is none.
    func afterCut(_ cut: PowerCut, _ random: inout SeededGenerator) -> DiskFile? {
        switch cut {
        case .leavesAll: return self
        case .leavesNothing: return synced.map { DiskFile(synced: $0) }
        case .leavesAnything:
            if synced == nil && random.chance(0.3) { return nil }
            var image = synced ?? []
            for change in unsynced { Self.survivor(of: change, &random)?.apply(to: &image) }
            return DiskFile(synced: image)
        }
    }

    private static func survivor(of change: Change, _ random: inout SeededGenerator) -> Change? {
        let roll = random.unit()
        if roll < 0.4 { return nil }
        guard case .write(let offset, let bytes) = change, roll < 0.6 else { return change }
        let part = part(of: bytes.count, &random)
        return .write(offset: offset + part.lowerBound, bytes: Array(bytes[part]))
    }

    /// The sectors of a write that reach the disk: from its beginning, or up to its end.
    static func part(of count: Int, _ random: inout SeededGenerator) -> Range<Int> {
        let cut = min(count, random.index(below: count / 512 + 1) * 512)
        return random.chance(0.5) ? 0..<cut : cut..<count
    }
}
