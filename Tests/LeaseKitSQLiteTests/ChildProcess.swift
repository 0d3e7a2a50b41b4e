// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process of one of the test executables, whose output is read line by line.
final class ChildProcess {
    let id: pid_t
    private let output: Int32
    private var unread: [UInt8] = []

    struct Trouble: Error { let code: Int32 }

    init(_ executable: String, _ arguments: [String]) throws {
        (id, output) = try Self.spawning.withLock { _ in try Self.spawn(executable, arguments) }
    }

    private static func spawn(_ executable: String, _ arguments: [String]) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The test executables lie side by side.
        let path = "\(directory)/\(executable)"
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, path, &actions, nil, &words, environ)
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            throw Trouble(code: code)
        }
        return (id, ends[0])
    }

    deinit { close(output) }

    /// The next line; nil once the process has said its last.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread.removeFirst(end + 1) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = buffer.withUnsafeMutableBytes { read(output, $0.baseAddress, $0.count) }
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

    /// Held while a pipe is there that another child would inherit, which would keep the end of this one's output from being seen.
    private static let spawning = Locked(())

    private static var directory: String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = count > 0 ? String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

// Inside the type, `kill` is its own.
private func sendSignal(_ id: pid_t, _ signal: Int32) { _ = kill(id, signal) }
