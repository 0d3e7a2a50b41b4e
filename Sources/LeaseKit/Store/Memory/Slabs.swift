// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory in pieces, each twice as large as the one before, found by number: growing never moves or copies what is there.
///
/// It hands out raw pointers, and these are sound because a piece is never moved or given back before the whole goes,
/// and because whoever owns the slabs initialises an element before it reads it and takes it out again before the end.
/// Plain numbers need no taking out.
final class Slabs<Element> {
    private static var bits: Int { 12 }
    private static var first: Int { 1 << bits }
    @exclusivity(unchecked) private var pieces: ContiguousArray<UnsafeMutablePointer<Element>> = []
    @exclusivity(unchecked) private var capacity = 0

    deinit {
        for piece in pieces { UnsafeMutableRawPointer(piece).deallocate() }
    }

    /// Makes room for the elements up to `count`.
    @inline(__always)
    func reserve(_ count: Int) {
        while capacity < count { grow() }
    }

    /// Where an element is; there must be room for it.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        // Counted from the size of the first piece on, an element's highest bit is its piece, the bits below its place.
        let number = index + Self.first
        let highest = Int.bitWidth - 1 - number.leadingZeroBitCount
        return pieces[highest - Self.bits] + (number - 1 << highest)
    }

    private func grow() {
        let count = Self.first << pieces.count
        pieces.append(
            LargePages.allocate(count * MemoryLayout<Element>.stride).bindMemory(to: Element.self, capacity: count)
        )
        capacity += count
    }
}

/// Memory for what is read here and there all over a large table.
///
/// A table of a million rows has fifty thousand ordinary pages, far more than a processor knows the addresses of by heart, so
/// that looking at a row costs two trips to memory: one for where it is. Of large pages there are a few hundred. Memory is
/// used up by the page, as it is written to; so only pieces that are larger than a page ask for them, and a system that has
/// none to give does without.
private enum LargePages {
    private static let size = 1 << 21

    static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        if bytes < size { return .allocate(byteCount: bytes, alignment: 64) }
        let piece = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: size)
        #if os(Linux)
            _ = madvise(piece, bytes, MADV_HUGEPAGE)
        #endif
        return piece
    }
}
