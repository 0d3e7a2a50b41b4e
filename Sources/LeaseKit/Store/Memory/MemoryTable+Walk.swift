// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    /// Walks the rows at and below a prefix, path by path and by sequence within each.
    ///
    /// It starts behind a sequence at a path and leaves out what is newer than `cutoff` and, with a mount, what is not
    /// its own. `body` gets each row, or no slot for a path that was passed over; it returns false to stop. True when
    /// the end was reached. `body` may change rows in place, but must not remove any.
    func walk(
        _ prefix: String,
        _ mount: MountID?,
        from start: (path: String, sequence: UInt64),
        upTo cutoff: UInt64 = .max,
        _ body: (_ path: String, _ sequence: UInt64, _ slot: UInt32?) -> Bool
    ) -> Bool {
        // The range may have become narrower since a position in it was kept.
        let start = PathIndex.precedes(start.path, prefix) ? (path: prefix, sequence: 0) : start
        var place = paths.firstPlace(from: start.path)
        while let entry = paths.entry(at: place), LeasePath.lies(entry.path, under: prefix) {
            place = paths.place(after: place)
            if let mount, !entry.mounts.contains(where: { $0.mount.id == mount }) {
                if !body(entry.path, 0, nil) { return false }
                continue
            }
            let isMixed = entry.mounts.count > 1
            let after = entry.path.hasSameBytes(as: start.path) ? start.sequence : 0
            var isOver = false
            let wentOn = entry.rows.forEach(after: after) { sequence, slot in
                if sequence > cutoff {
                    isOver = true
                    return false
                }
                let isOwn = !isMixed || mount == nil || rows.pointer(slot).pointee.record.mount == mount
                return body(entry.path, sequence, isOwn ? slot : nil)
            }
            if !wentOn && !isOver { return false }
        }
        return true
    }
}
