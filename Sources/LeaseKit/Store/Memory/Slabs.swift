// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Memory in pieces of a fixed size, found by number: growing never moves or copies what is there.
///
/// It hands out raw pointers, and these are sound because a piece is never moved or given back before the whole goes,
/// and because whoever owns the slabs initialises an element before it reads it and takes it out again before the end.
/// Plain numbers need no taking out.
final class Slabs<Element> {
    private static var bits: Int { 12 }
    @exclusivity(unchecked) private var pieces: ContiguousArray<UnsafeMutablePointer<Element>> = []

    deinit {
        for piece in pieces { piece.deallocate() }
    }

    /// Makes room for the elements up to `count`.
    @inline(__always)
    func reserve(_ count: Int) {
        while pieces.count << Self.bits < count {
            pieces.append(.allocate(capacity: 1 << Self.bits))
        }
    }

    /// Where an element is; there must be room for it.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        pieces[index >> Self.bits] + (index & (1 << Self.bits - 1))
    }
}
