// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    import CLibPQ
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What wakes a thread out of `poll`: an eventfd, where there is none a pipe.
struct WakeUp: ~Copyable, Sendable {
    /// What to poll for reading.
    let reading: Int32
    private let writing: Int32

    /// Nil when the system has no descriptor to give.
    init?() {
        #if os(Linux)
            reading = leasekit_eventfd()
            writing = reading
            if reading < 0 { return nil }
        #else
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { return nil }
            (reading, writing) = (ends[0], ends[1])
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        #endif
    }

    deinit {
        close(reading)
        if writing != reading { close(writing) }
    }

    /// Makes `reading` readable.
    func ring() {
        var one: UInt64 = 1
        _ = write(writing, &one, MemoryLayout<UInt64>.size)
    }

    /// Makes it unreadable again.
    func quiet() {
        var bytes: UInt64 = 0
        while read(reading, &bytes, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size, reading != writing {}
    }
}
