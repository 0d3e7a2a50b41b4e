// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Draws places in an array, each at most once: the same ones in each run.
struct Places {
    private var state: UInt64 = 1

    /// Draws `count` different places below `bound`.
    mutating func draw(_ count: Int, below bound: Int) -> [Int] {
        // A stride that has no factor in common with the bound visits every place once.
        var stride = Int(next() % UInt64(bound)) | 1
        while greatestCommonDivisor(stride, bound) != 1 { stride += 2 }
        let start = Int(next() % UInt64(bound))
        return (0..<min(count, bound)).map { (start + $0 * stride) % bound }
    }

    private func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }

    private mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 20
    }
}
