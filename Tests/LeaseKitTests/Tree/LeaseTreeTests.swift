// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite("Lease tree")
struct LeaseTreeTests {
    private func id(_ number: Int) -> LeaseID { LeaseID(high: UInt64(number), low: UInt64(number) &* 0x9E37_79B9) }

    @Test func leaseAloneIsNotInTheTree() {
        var tree = LeaseTree()
        #expect(tree.isEmpty)
        #expect(tree.remove(id(1)) == .absent)
        #expect(tree.detach(id(1)) == .absent)
        #expect(tree.parent(of: id(1)) == nil)
        #expect(tree.children(of: id(1)).ids.isEmpty)
    }

    @Test func leaseGetsAParentOnlyOnce() {
        var tree = LeaseTree()
        #expect(tree.insert(id(2), under: id(1)) == true)
        #expect(tree.insert(id(2), under: id(3)) == false, "no re-parenting")
        #expect(tree.insert(id(1), under: id(2)) == false, "no loop")
        #expect(tree.insert(id(4), under: id(4)) == false, "no loop of one")
        #expect(tree.parent(of: id(2)) == id(1))
    }

    @Test func removalSaysWhetherItWasTheLastChild() {
        var tree = LeaseTree()
        _ = tree.insert(id(2), under: id(1))
        _ = tree.insert(id(3), under: id(1))
        #expect(tree.remove(id(1)) == .hasChildren)
        #expect(tree.remove(id(2)) == .left(id(1), wasLastChild: false))
        #expect(tree.remove(id(3)) == .left(id(1), wasLastChild: true))
        #expect(tree.isEmpty, "a parent without children costs nothing")
    }

    @Test func detachedLeaseKeepsItsChildren() {
        var tree = LeaseTree()
        _ = tree.insert(id(2), under: id(1))
        _ = tree.insert(id(3), under: id(2))
        #expect(tree.detach(id(2)) == .left(id(1), wasLastChild: true))
        #expect(tree.parent(of: id(2)) == nil)
        #expect(tree.children(of: id(2)).ids == [id(3)])
        #expect(tree.count == 2)
    }

    @Test func chainOfTenThousandDoesNotOverflow() {
        var tree = LeaseTree()
        for number in 1..<10_000 { _ = tree.insert(id(number + 1), under: id(number)) }
        #expect(tree.descendantsLeavesFirst(of: id(1)).count == 9_999)
        #expect(tree.descendantsLeavesFirst(of: id(1)).first == id(10_000))
        #expect(Array(tree.ancestors(of: id(10_000))).count == 9_999)
        #expect(Array(tree.ancestors(of: id(10_000)).prefix(1)) == [id(9_999)])
    }

    @Test func positionSurvivesRemovals() {
        var tree = LeaseTree()
        for number in 2...60 { _ = tree.insert(id(number), under: id(1)) }
        let first = tree.children(of: id(1), limit: 10)
        for child in first.ids { _ = tree.remove(child) }
        for number in 15...40 { _ = tree.remove(id(number)) }
        let rest = tree.children(of: id(1), after: first.position)
        #expect(rest.ids == ([12, 13, 14] + Array(41...60)).map(id))
        #expect(tree.child(of: id(1), after: first.position)?.id == id(12))
    }

    @Test("random operations agree with a naive model", arguments: UInt64(1)...30)
    func agreesWithModel(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        var tree = LeaseTree()
        var parents: [LeaseID: LeaseID] = [:]
        var order: [LeaseID] = []
        func children(_ parent: LeaseID) -> [LeaseID] { order.filter { parents[$0] == parent } }
        for number in 1...600 {
            let some = (order.randomElement(using: &random) ?? id(0))
            switch random.next() % 10 {
            case 0..<6:
                let child = random.next() % 20 == 0 ? some : id(number)
                let parent = random.next() % 4 == 0 ? id(10_000 + number % 7) : some
                let isKnown = parents[child] != nil || parents.values.contains(child)
                #expect(tree.insert(child, under: parent) == (child != parent && !isKnown))
                if child != parent && !isKnown {
                    parents[child] = parent
                    order.append(child)
                }
            case 6..<9:
                let expected: LeaseTree.Departure
                if !children(some).isEmpty {
                    expected = .hasChildren
                } else if let parent = parents[some] {
                    expected = .left(parent, wasLastChild: children(parent).count == 1)
                    parents[some] = nil
                    order.removeAll { $0 == some }
                } else {
                    expected = .absent
                }
                #expect(tree.remove(some) == expected)
            default:
                let parent = parents[some]
                let expected = parent.map { LeaseTree.Departure.left($0, wasLastChild: children($0).count == 1) }
                #expect(tree.detach(some) == expected ?? .absent)
                parents[some] = nil
                order.removeAll { $0 == some }
            }
            #expect(tree.parent(of: some) == parents[some])
            #expect(tree.children(of: some).ids == children(some))
            #expect(tree.childCount(of: some) == children(some).count)
        }
        #expect(tree.count == Set(parents.keys).union(parents.values).count)
        let leavesFirst = tree.descendantsLeavesFirst(of: id(10_001))
        for (place, lease) in leavesFirst.enumerated() {
            #expect(!leavesFirst[..<place].contains(try #require(parents[lease])), "a parent before its child")
        }
    }
}

/// A small seeded generator.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 33)
    }
}
