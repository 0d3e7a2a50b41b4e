// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Bits of the system's cryptographic generator, fetched 256 bytes at a time: asking the system costs more than all else
/// that naming a lease does.
///
/// They are as good as if they were fetched one by one. Each is handed out once and wiped, so that the memory of the process
/// tells nothing about those that were.
struct SystemBits: Sendable {
    private var words = ContiguousArray<UInt64>(repeating: 0, count: 32)
    private var left = 0

    mutating func next() -> UInt64 {
        if left == 0 { fill() }
        left -= 1
        defer { words[left] = 0 }
        return words[left]
    }

    private mutating func fill() {
        left = words.count
        #if canImport(Glibc) || canImport(Musl)
            // At most 256 bytes at once: then it gives all of them or none.
            if words.withUnsafeMutableBytes({ getentropy($0.baseAddress, $0.count) }) == 0 { return }
        #endif
        var generator = SystemRandomNumberGenerator()
        for index in words.indices { words[index] = generator.next() }
    }
}
