// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Role versions, each kept once while a lease refers to it.
struct RoleTable {
    private struct Entry {
        var bytes: [UInt8]
        var uses: Int
    }

    private var entries: ContiguousArray<Entry> = []
    private var free: [UInt32] = []
    private var numbers: [[UInt8]: UInt32] = [:]

    /// How many versions there are.
    var count: Int { numbers.count }

    /// Notes one more use of a version, and replaces the bytes by the ones that are kept; `hint` is a guess.
    mutating func use(_ bytes: inout [UInt8], hint: UInt32) -> UInt32 {
        if bytes.isEmpty { return MemoryRow.none }
        let number: UInt32
        if hint != MemoryRow.none, Int(hint) < entries.count, entries[Int(hint)].bytes == bytes {
            number = hint
        } else if let known = numbers[bytes] {
            number = known
        } else {
            number = free.popLast() ?? UInt32(entries.count)
            if Int(number) == entries.count { entries.append(Entry(bytes: bytes, uses: 0)) }
            entries[Int(number)] = Entry(bytes: bytes, uses: 0)
            numbers[bytes] = number
        }
        entries[Int(number)].uses += 1
        bytes = entries[Int(number)].bytes
        return number
    }

    mutating func leave(_ number: UInt32) {
        if number == MemoryRow.none { return }
        entries[Int(number)].uses -= 1
        if entries[Int(number)].uses == 0 {
            numbers[entries[Int(number)].bytes] = nil
            entries[Int(number)].bytes = []
            free.append(number)
        }
    }
}
