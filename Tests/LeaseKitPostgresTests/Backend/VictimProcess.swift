// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A process that the tests kill, whose output is read line by line.
final class VictimProcess {
    private let id: pid_t
    private let output: Int32
    private var unread: [UInt8] = []

    struct Trouble: Error { let code: Int32 }

    /// Starts one of the test executables, which lie side by side, and says one line to it.
    init(_ executable: String, _ arguments: [String], saying line: String) throws {
        let (childInput, input) = try Self.makePipe()
        let (output, childOutput) = try Self.makePipe()
        let words = ["\(Self.directory)/\(executable)"] + arguments
        let (id, code) = spawn(words, input: childInput, output: childOutput)
        close(childInput)
        close(childOutput)
        let bytes = Array((line + "\n").utf8)
        _ = write(input, bytes, bytes.count)
        close(input)
        if code != 0 {
            close(output)
            throw Trouble(code: code)
        }
        (self.id, self.output) = (id, output)
    }

    deinit { close(output) }

    private static func makePipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// The next line; nil once the process has said its last.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread.removeFirst(end + 1) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(output, &buffer, buffer.count)
            if count <= 0 { return nil }
            unread += buffer[0..<count]
        }
    }

    /// Whether there is something to read, or its end, within so many milliseconds.
    func waitForOutput(milliseconds: Int32) -> Bool {
        if unread.contains(UInt8(ascii: "\n")) { return true }
        var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    func kill() { sendSignal(id, SIGKILL) }

    /// Waits for its end; true when it was killed.
    func waitForEnd() -> Bool {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == SIGKILL
    }

    private static var directory: String {
        #if canImport(Darwin)
            let path = CommandLine.arguments[0]
        #else
            var buffer = [CChar](repeating: 0, count: 4_096)
            let count = readlink("/proc/self/exe", &buffer, buffer.count)
            let path = String(decoding: buffer[0..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #endif
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

// Inside the type, `kill` is its own.
private func sendSignal(_ id: pid_t, _ signal: Int32) { _ = kill(id, signal) }
