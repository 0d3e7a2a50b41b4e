// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Answers cheaply that some time has surely not passed yet, for a reader that asks at each request.
///
/// Reading the continuous clock costs several times what everything else of such a reader costs. The system's coarse clocks
/// do not, but none of them counts suspends as the continuous one does. So two are compared: as long as wall and uptime
/// advance alike, nothing was suspended and no clock was set, and the uptime is right to within the tolerance, which is
/// taken off beforehand. In every other case the answer is no, and the continuous clock has to be asked.
struct Freshness: Sendable {
    private let wall: Int64
    private let uptime: Int64
    private let left: Int64

    private static let tolerance: Int64 = 2_000_000_000

    /// Counts from now on; nil where there are no such clocks.
    init?(left: Duration) {
        #if canImport(Glibc) || canImport(Musl)
            wall = SystemTime.nanoseconds(CLOCK_REALTIME_COARSE)
            uptime = SystemTime.nanoseconds(CLOCK_MONOTONIC_COARSE)
            self.left = left.saturatingNanoseconds &- Self.tolerance &- 50_000_000
        #else
            return nil
        #endif
    }

    /// Whether the time has surely not passed.
    var isSure: Bool {
        #if canImport(Glibc) || canImport(Musl)
            let elapsed = SystemTime.nanoseconds(CLOCK_MONOTONIC_COARSE) &- uptime
            let parted = SystemTime.nanoseconds(CLOCK_REALTIME_COARSE) &- wall &- elapsed
            return elapsed < left && parted.magnitude < Self.tolerance.magnitude
        #else
            return false
        #endif
    }
}
