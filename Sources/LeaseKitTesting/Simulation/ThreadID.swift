// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Which thread this is, to tell the driving one from all others.
struct ThreadID: Hashable, Sendable {
    private let rawValue: UInt

    static var current: ThreadID {
        #if canImport(Darwin)
            ThreadID(rawValue: UInt(bitPattern: pthread_self()))
        #elseif canImport(Musl)
            ThreadID(rawValue: UInt(bitPattern: pthread_self()))
        #else
            ThreadID(rawValue: UInt(pthread_self()))
        #endif
    }
}
