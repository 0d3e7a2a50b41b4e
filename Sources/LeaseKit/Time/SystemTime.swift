// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The machine's own clocks.
public struct SystemTime: LeaseTime {
    private let bootID: String

    /// Makes a reader of the machine's clocks.
    public init() { bootID = currentBootID() }

    /// Reads all clocks at once.
    public func read() -> TimeReading {
        let wall = Self.nanoseconds(CLOCK_REALTIME)
        #if canImport(Darwin)
            // Darwin names them the other way round: "monotonic" goes on during sleep, "uptime" does not.
            let suspending = Self.nanoseconds(CLOCK_UPTIME_RAW)
        #else
            let suspending = Self.nanoseconds(CLOCK_MONOTONIC)
        #endif
        return TimeReading(
            wall: LeaseInstant(nanosecondsSinceEpoch: wall),
            continuous: Self.readContinuous(),
            suspending: .nanoseconds(suspending),
            bootID: bootID
        )
    }

    /// Reads the continuous clock alone.
    static func readContinuous() -> Duration { .nanoseconds(continuousNanoseconds()) }

    /// The same as a plain number.
    static func continuousNanoseconds() -> Int64 {
        #if canImport(Darwin)
            nanoseconds(CLOCK_MONOTONIC)
        #else
            nanoseconds(CLOCK_BOOTTIME)
        #endif
    }

    /// Sleeps until the continuous clock shows `deadline`.
    public func sleep(until deadline: Duration) async throws {
        // A day at most in one go: clocks add up to far less than the distant future they are asked for.
        while true {
            let left = deadline - read().continuous
            if left <= .zero { return try Task.checkCancellation() }
            let step = min(left, .seconds(86_400))
            try await ContinuousClock().sleep(until: .now + step, tolerance: .zero)
        }
    }

    /// Reads a clock.
    ///
    /// The two words of the sample are read by their place: which C module their names belong to depends on whether the
    /// compiler sees one file or the whole module, and a release build would not find them.
    static func nanoseconds(_ clock: clockid_t) -> Int64 {
        withUnsafeTemporaryAllocation(of: timespec.self, capacity: 1) { sample in
            guard let address = sample.baseAddress, clock_gettime(clock, address) == 0 else { return 0 }
            let words = UnsafeRawPointer(address)
            let seconds = words.load(as: Int.self)
            let nanoseconds = words.load(fromByteOffset: MemoryLayout<Int>.size, as: Int.self)
            return Int64(seconds) * 1_000_000_000 + Int64(nanoseconds)
        }
    }
}

/// A text that is new at each start of the machine; empty where there is none.
private func currentBootID() -> String {
    #if canImport(Darwin)
        var size = 64
        var text = [CChar](repeating: 0, count: size)
        guard sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #else
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(0, count)).filter { $0 > 0x20 }, as: UTF8.self)
    #endif
}
