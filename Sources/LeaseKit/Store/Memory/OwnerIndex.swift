// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Everything that is held for one owner.
final class OwnerEntry {
    let name: String
    @exclusivity(unchecked) var counts = StateCounts()
    @exclusivity(unchecked) var rows = SequenceList()

    init(name: String) { self.name = name }
}

/// The owners that have leases.
struct OwnerIndex {
    private var entries: ContiguousArray<OwnerEntry?> = []
    private var free: [UInt32] = []
    private let index = SlotIndex()

    @inline(__always)
    subscript(_ number: UInt32) -> OwnerEntry? { entries[Int(number)] }

    func find(_ name: String) -> OwnerEntry? { number(of: name).flatMap { entries[Int($0)] } }

    mutating func add(_ name: String) -> UInt32 {
        if let number = number(of: name) { return number }
        let number = free.popLast() ?? UInt32(entries.count)
        if Int(number) == entries.count { entries.append(nil) }
        entries[Int(number)] = OwnerEntry(name: name)
        index.insert(name.byteHash, number)
        return number
    }

    mutating func drop(_ number: UInt32) {
        guard let entry = entries[Int(number)] else { return }
        index.remove(entry.name.byteHash, number)
        entries[Int(number)] = nil
        free.append(number)
    }

    private func number(of name: String) -> UInt32? {
        index.find(name.byteHash) { entries[Int($0)]?.name.hasSameBytes(as: name) ?? false }
    }
}
