// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What is known of the calls that run at one moment, by what they are about.
///
/// Nearly always that is a handful, which is looked through faster than a key is hashed: every renewal asks four times. Beyond
/// that it is a dictionary, so that ten thousand calls at once cost no more each.
struct CallTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var handful: Int { 8 }
    private var few: ContiguousArray<(key: Key, value: Value)> = []
    /// What came when the others were a handful already; no key is in both.
    private var many: [Key: Value] = [:]

    var isEmpty: Bool { few.isEmpty && many.isEmpty }
    var count: Int { few.count + many.count }

    subscript(key: Key) -> Value? {
        @inline(__always)
        get {
            if let place = place(of: key) { return few[place].value }
            return many.isEmpty ? nil : many[key]
        }
        @inline(__always)
        set {
            if let newValue { put(newValue, for: key) } else { remove(key) }
        }
    }

    private mutating func put(_ value: Value, for key: Key) {
        if let place = place(of: key) {
            few[place].value = value
        } else if few.count < Self.handful && (many.isEmpty || many[key] == nil) {
            few.append((key, value))
        } else {
            many[key] = value
        }
    }

    private mutating func remove(_ key: Key) {
        if let place = place(of: key) {
            let last = few.removeLast()
            if place < few.count { few[place] = last }
        } else if !many.isEmpty {
            many[key] = nil
        }
    }

    @inline(__always)
    private func place(of key: Key) -> Int? {
        var place = 0
        while place < few.count {
            if few[place].key == key { return place }
            place += 1
        }
        return nil
    }
}
