// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The in-memory lease table itself: synchronous, without a lock.
///
/// Unchecked, because it has no protection of its own: one ``InMemoryLeaseStore`` owns it, touches it only inside that
/// store's lock, and hands out nothing but values.
///
/// What every call touches, here and in its parts, is not checked at run time for accesses that overlap: with one lock around
/// all of it and no call out of it there are none, and the checks took a tenth of a call.
final class MemoryTable: @unchecked Sendable {
    let rows = RowArena()
    let places = HeapPlaces()
    let ids = SlotIndex()
    @exclusivity(unchecked) var paths = PathIndex()
    @exclusivity(unchecked) var owners = OwnerIndex()
    @exclusivity(unchecked) var roles = RoleTable()
    @exclusivity(unchecked) var tree = LeaseTree()
    @exclusivity(unchecked) var orders = OrderBook()
    @exclusivity(unchecked) var mounts: [MountID: MemoryMount] = [:]
    let requests = SlotIndex()
    /// How many children need each parent to be ended.
    @exclusivity(unchecked) var needyChildren: [LeaseID: Int] = [:]
    @exclusivity(unchecked) var counts = StateCounts()
    /// The rows of each state but active: these are few, or on their way out.
    @exclusivity(unchecked) var unusual = [SequenceList](repeating: SequenceList(), count: LeaseState.allCases.count)
    @exclusivity(unchecked) var claimed = SequenceList()
    @exclusivity(unchecked) var lastSequence: UInt64 = 0
    @exclusivity(unchecked) var lastClaim: UInt64 = 0
    /// A row that was handed out with its order, and what the indexes say of it.
    ///
    /// With a backend that never waits it is gone with the very next call: what they would learn, they would have to forget
    /// at once. So they are told only when another call comes first; see ``putInOrder()``.
    @exclusivity(unchecked) private var inHand: (slot: UInt32, indexed: Before)?
    let life: MemoryLife

    init(life: MemoryLife) { self.life = life }

    // MARK: - Looking

    @inline(__always)
    func slot(of id: LeaseID) -> UInt32? {
        ids.find(id.low) { rows.pointer($0).pointee.record.id == id }
    }

    func find(_ id: LeaseID) -> LeaseRecord? {
        guard let slot = slot(of: id) else { return nil }
        return rows.pointer(slot).pointee.record
    }

    func mount(_ id: MountID) -> MemoryMount {
        if let mount = mounts[id] { return mount }
        let mount = MemoryMount(id: id, places: places)
        mounts[id] = mount
        return mount
    }

    @inline(__always)
    func mount(of row: UnsafeMutablePointer<MemoryRow>, at path: PathEntry) -> MemoryMount {
        let first = path.mounts[0].mount
        return first.id == row.pointee.record.mount ? first : mount(row.pointee.record.mount)
    }

    // MARK: - Rows

    /// What of a row the indexes depend on, as it was before a change.
    struct Before {
        let state: LeaseState
        let due: LeaseInstant
        let urgency: LeaseUrgency
        let isClaimed: Bool
        let isHollow: Bool

        @inline(__always)
        init(_ row: UnsafeMutablePointer<MemoryRow>) {
            state = row.pointee.record.state
            due = row.pointee.record.due
            urgency = row.pointee.record.urgency
            isClaimed = row.pointee.record.claimBits != 0
            isHollow = row.pointee.record.isHollow
        }
    }

    /// Keeps what a row that was just handed out changed from the indexes, until it is gone or another call comes.
    func keepInHand(_ slot: UInt32, _ indexed: Before) { inHand = (slot, indexed) }

    /// Tells the indexes of a row that was kept from them: before any call but the next one about that row.
    @inline(__always)
    func putInOrder() {
        guard let (slot, indexed) = inHand else { return }
        inHand = nil
        reindex(slot, indexed)
    }

    /// What the indexes say of a row that is about to change.
    @inline(__always)
    func indexed(_ slot: UInt32) -> Before? { inHand?.slot == slot ? inHand?.indexed : nil }

    /// The row's changes are about to be told.
    @inline(__always)
    func letGo() { inHand = nil }

    /// Writes a new record into a row and every index but the tree.
    func link(_ record: consuming LeaseRecord) -> UInt32 {
        let path = paths.entry(for: record.path)
        record.path = path.path
        let role = roles.use(&record.role, hint: path.lastRole)
        path.lastRole = role
        let owner = record.owner.map { owners.add($0) } ?? MemoryRow.none
        let slot = rows.add(MemoryRow(record: record, path: path.number, owner: owner, role: role))
        let row = rows.pointer(slot)
        let (id, sequence, state) = (row.pointee.record.id, row.pointee.record.sequence, row.pointee.record.state)
        places.add(slot)
        ids.insert(id.low, slot)
        path.rows.insert(sequence, slot)
        let mount = join(path, row.pointee.record.mount)
        counts[state] += 1
        path.counts[state] += 1
        mount.counts[state] += 1
        if let entry = ownerEntry(row) {
            entry.rows.insert(sequence, slot)
            entry.counts[state] += 1
        }
        if let request = row.pointee.record.requestID { requests.insert(request.byteHash, slot) }
        if state != .active { unusual[Int(state.rawValue)].insert(sequence, slot) }
        if row.pointee.record.claimBits != 0 { claimed.insert(sequence, slot) }
        mount.heap(for: row.pointee.record)?.insert(row.pointee.record.due, slot)
        if row.pointee.record.needsParent, let parent = row.pointee.record.parent {
            needyChildren[parent, default: 0] += 1
        }
        return slot
    }

    /// Brings the indexes up to date after a row changed in place.
    @inline(__always)
    func reindex(_ slot: UInt32, _ before: Before) {
        let row = rows.pointer(slot)
        guard let path = paths[row.pointee.path] else { return }
        let mount = mount(of: row, at: path)
        let state = row.pointee.record.state
        let sequence = row.pointee.record.sequence
        if state != before.state {
            counts.move(from: before.state, to: state)
            path.counts.move(from: before.state, to: state)
            mount.counts.move(from: before.state, to: state)
            ownerEntry(row)?.counts.move(from: before.state, to: state)
            if before.state != .active { unusual[Int(before.state.rawValue)].remove(sequence, slot) }
            if state != .active { unusual[Int(state.rawValue)].insert(sequence, slot) }
        }
        let isClaimed = row.pointee.record.claimBits != 0
        if isClaimed != before.isClaimed {
            if isClaimed { claimed.insert(sequence, slot) } else { claimed.remove(sequence, slot) }
        }
        let due = row.pointee.record.due
        if due == before.due && state == before.state && row.pointee.record.urgency == before.urgency { return }
        let heap = mount.heap(for: row.pointee.record)
        if let (tag, place) = places.place(of: slot) {
            if let heap, heap.tag == tag {
                heap.move(at: place, to: due)
                return
            }
            mount.heap(tag: tag).remove(at: place)
        }
        heap?.insert(due, slot)
    }

    /// Takes a row out of every index but the tree.
    func unlink(_ slot: UInt32, _ before: Before) {
        let row = rows.pointer(slot)
        guard let path = paths[row.pointee.path] else { return }
        let mount = mount(of: row, at: path)
        let sequence = row.pointee.record.sequence
        if let (tag, place) = places.place(of: slot) { mount.heap(tag: tag).remove(at: place) }
        if before.isClaimed { claimed.remove(sequence, slot) }
        if before.state != .active { unusual[Int(before.state.rawValue)].remove(sequence, slot) }
        if let request = row.pointee.record.requestID { requests.remove(request.byteHash, slot) }
        counts[before.state] -= 1
        path.counts[before.state] -= 1
        mount.counts[before.state] -= 1
        if let entry = ownerEntry(row) {
            entry.rows.remove(sequence, slot)
            entry.counts[before.state] -= 1
            if entry.rows.isEmpty { owners.drop(row.pointee.owner) }
        }
        if row.pointee.record.needsParent, let parent = row.pointee.record.parent { needLess(parent) }
        roles.leave(row.pointee.role)
        path.rows.remove(sequence, slot)
        leave(path, row.pointee.record.mount)
        if path.rows.isEmpty { paths.drop(path) }
        ids.remove(row.pointee.record.id.low, slot)
        rows.drop(slot)
    }

    func needLess(_ parent: LeaseID) {
        let left = (needyChildren[parent] ?? 1) - 1
        needyChildren[parent] = left == 0 ? nil : left
    }

    @inline(__always)
    private func ownerEntry(_ row: UnsafeMutablePointer<MemoryRow>) -> OwnerEntry? {
        row.pointee.owner == MemoryRow.none ? nil : owners[row.pointee.owner]
    }

    // MARK: - Paths and their mounts

    private func join(_ path: PathEntry, _ id: MountID) -> MemoryMount {
        if let index = path.mounts.firstIndex(where: { $0.mount.id == id }) {
            path.mounts[index].count += 1
            return path.mounts[index].mount
        }
        let mount = mount(id)
        path.mounts.append((mount, 1))
        if isStray(path, of: mount) { mount.strayPaths += 1 }
        return mount
    }

    private func leave(_ path: PathEntry, _ id: MountID) {
        guard let index = path.mounts.firstIndex(where: { $0.mount.id == id }) else { return }
        path.mounts[index].count -= 1
        guard path.mounts[index].count == 0 else { return }
        let mount = path.mounts.remove(at: index).mount
        if isStray(path, of: mount) { mount.strayPaths -= 1 }
    }

    private func isStray(_ path: PathEntry, of mount: MemoryMount) -> Bool {
        guard let registration = mount.registration else { return true }
        return !LeasePath.lies(path.path, under: registration.path)
    }
}
