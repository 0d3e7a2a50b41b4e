// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Bytes that are wiped when the last reference goes: keys, and everything before it is sealed.
///
/// Best effort: what the system swaps out or a crash dump holds is out of reach.
final class WipedBytes: Sendable {
    // Written by `init` alone, before anybody else can see it, and wiped when nobody can any more.
    nonisolated(unsafe) private let memory: UnsafeMutableRawBufferPointer

    /// Makes room for `count` bytes and lets `body` fill it.
    init<Failure: Error>(
        count: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        memory = .allocate(byteCount: count, alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        try body(memory)
    }

    deinit {
        Self.wipe(memory)
        memory.deallocate()
    }

    var count: Int { memory.count }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(memory))
    }

    /// Overwrites memory in a way that the optimiser leaves in, though nobody reads it afterwards.
    static func wipe(_ memory: UnsafeMutableRawBufferPointer) {
        guard let start = memory.baseAddress else { return }
        #if canImport(Darwin)
            memset_s(start, memory.count, 0, memory.count)
        #else
            explicit_bzero(start, memory.count)
        #endif
    }

    /// Overwrites an array that nobody else holds.
    static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { wipe($0) }
    }
}
