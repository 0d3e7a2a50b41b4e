// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Says what is wrong, where it does not mix with the results.
func complain(_ message: String) {
    let line = Array("\(message)\n".utf8)
    _ = write(2, line, line.count)
}

/// Ends the process.
func exit(status: Int32) -> Never {
    exit(status)
}

/// How many bytes of memory the process has in use now.
///
/// What was freed is given back to the system first, so that the difference of two readings is what came to be between
/// them, wherever in the heap it lies.
func residentBytes() -> Int {
    #if canImport(Darwin)
        malloc_zone_pressure_relief(nil, 0)
        var info = mach_task_basic_info()
        var count = mach_msg_type_number_t(MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
        let result = withUnsafeMutablePointer(to: &info) { info in
            info.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
            }
        }
        return result == KERN_SUCCESS ? Int(info.resident_size) : 0
    #else
        #if canImport(Glibc)
            // No header that Swift reads declares it.
            typealias Trim = @convention(c) (Int) -> CInt
            if let symbol = dlsym(nil, "malloc_trim") { _ = unsafeBitCast(symbol, to: Trim.self)(0) }
        #endif
        // The second number of the file is the resident set, in pages.
        let file = open("/proc/self/statm", O_RDONLY)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let length = read(file, &text, text.count)
        let numbers = text.prefix(max(0, length)).split(separator: UInt8(ascii: " "))
        guard numbers.count > 1, let pages = Int(String(decoding: numbers[1], as: UTF8.self)) else { return 0 }
        return pages * Int(getpagesize())
    #endif
}

/// The seconds of processor time that this process has used so far.
func ownProcessorTime() -> Double {
    var usage = rusage()
    #if canImport(Glibc)
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
        getrusage(RUSAGE_SELF, &usage)
    #endif
    let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
}
