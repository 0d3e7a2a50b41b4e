// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite("Slot index") struct SlotIndexTests {
    /// How hashes may come: random as those of ids, or chosen to meet.
    enum Shape: CaseIterable, Sendable {
        case random, consecutive, highBits, few

        func hash(_ number: UInt64) -> UInt64 {
            switch self {
            case .random: number &* 0x9E37_79B9_7F4A_7C15 ^ 0x1234_5678_9ABC_DEF0
            case .consecutive: number
            case .highBits: number << 40
            case .few: number % 40
            }
        }
    }

    /// Fills, empties and fills it again, and holds it against a dictionary.
    @Test(arguments: Shape.allCases)
    func agreesWithADictionary(shape: Shape) {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let index = SlotIndex(seed: random.next() | 1)
        let limit = shape == .few ? 600 : 20_000
        var model: [UInt64: UInt32] = [:]
        var free = Array((0..<UInt32(limit)).reversed())
        for isGrowing in [true, false, true, false] {
            for _ in 0..<limit * 2 {
                let number = UInt64(random.index(below: limit))
                if let slot = model[number] {
                    guard random.chance(isGrowing ? 0.2 : 0.8) else { continue }
                    index.remove(shape.hash(number), slot)
                    // Removing what is not there changes nothing.
                    index.remove(shape.hash(number), slot)
                    model[number] = nil
                    free.append(slot)
                } else if random.chance(isGrowing ? 0.8 : 0.2), let slot = free.popLast() {
                    index.insert(shape.hash(number), slot)
                    model[number] = slot
                }
            }
            #expect(index.count == model.count, "LEASEKIT_SEED=\(seed)")
            let copy = index.copy()
            for number in 0..<UInt64(limit) {
                let expected = model[number]
                let found = index.find(shape.hash(number)) { $0 == expected }
                let copied = copy.find(shape.hash(number)) { $0 == expected }
                guard found == expected && copied == expected else {
                    Issue.record("\(number) is at \(expected as Any), found \(found as Any) [LEASEKIT_SEED=\(seed)]")
                    return
                }
            }
        }
    }

    @Test func emptiedIndexIsEmpty() {
        let index = SlotIndex()
        #expect(index.find(7) { _ in true } == nil)
        for slot in 0..<UInt32(5_000) { index.insert(UInt64(slot), slot) }
        for slot in 0..<UInt32(5_000) { index.remove(UInt64(slot), slot) }
        #expect(index.count == 0)
        for slot in 0..<UInt64(5_000) { #expect(index.find(slot) { _ in true } == nil) }
    }

    /// A copy is nobody else's.
    @Test func copyGoesItsOwnWay() {
        let index = SlotIndex()
        index.insert(1, 1)
        let copy = index.copy()
        copy.insert(2, 2)
        copy.remove(1, 1)
        #expect(index.find(1) { $0 == 1 } == 1)
        #expect(index.find(2) { $0 == 2 } == nil)
        #expect(copy.find(1) { $0 == 1 } == nil)
        #expect(copy.find(2) { $0 == 2 } == 2)
    }

    /// Hashes that differ in a few bits only, wherever these are, are told apart without a look at what they stand for.
    @Test(arguments: [0, 16, 32, 48] as [UInt64])
    func chosenHashesDoNotMeet(shift: UInt64) {
        let index = SlotIndex()
        for number in 0..<UInt32(10_000) { index.insert(UInt64(number) << shift, number) }
        var looks = 0
        for number in 0..<UInt32(10_000) {
            let found = index.find(UInt64(number) << shift) {
                looks += 1
                return $0 == number
            }
            #expect(found == number)
        }
        #expect(looks < 10_100)
    }
}
