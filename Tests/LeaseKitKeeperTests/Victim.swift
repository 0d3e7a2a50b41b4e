// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The process `KeeperVictim`, to be killed.
final class Victim {
    struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    private let pid: pid_t
    private var input: Int32
    private let output: Int32
    private var pending: [UInt8] = []
    private var isWaitedFor = false

    /// Held while pipes are made: another child started in between would keep their ends open.
    private static let spawning = Locked(())

    convenience init(_ arguments: [String]) throws {
        let (pid, input, output) = try Self.spawning.withLock { _ in try Self.spawn(arguments) }
        self.init(pid: pid, input: input, output: output)
    }

    private init(pid: pid_t, input: Int32, output: Int32) {
        (self.pid, self.input, self.output) = (pid, input, output)
    }

    private static func spawn(_ arguments: [String]) throws -> (pid_t, Int32, Int32) {
        // The tests' own bundle is beside it.
        guard let bundle = CommandLine.arguments.first(where: { $0.contains(".xctest") }),
            let end = bundle.split(separator: "/").firstIndex(where: { $0.hasSuffix(".xctest") })
        else { throw Trouble(description: "no test bundle among the arguments") }
        let folder = bundle.split(separator: "/")[..<end].joined(separator: "/")
        let path = (bundle.hasPrefix("/") ? "/" : "") + folder + "/KeeperVictim"
        let (childInput, input) = try Self.pipe()
        let (output, childOutput) = try Self.pipe()
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, childInput, 0)
        posix_spawn_file_actions_adddup2(&actions, childOutput, 1)
        var pid: pid_t = 0
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let status = posix_spawn(&pid, path, &actions, nil, &words, environ)
        close(childInput)
        close(childOutput)
        guard status == 0 else { throw Trouble(description: "cannot start \(path): \(status)") }
        return (pid, input, output)
    }

    deinit {
        if !isWaitedFor { _ = killAndWait() }
        close(output)
        endInput()
    }

    private static func pipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        #if canImport(Darwin)
            let status = Darwin.pipe(&ends)
        #elseif canImport(Musl)
            let status = Musl.pipe(&ends)
        #else
            let status = Glibc.pipe(&ends)
        #endif
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        guard status == 0 else { throw Trouble(description: "no pipe: \(errno)") }
        return (ends[0], ends[1])
    }

    /// The next line; nil at the end.
    func line() -> String? {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &buffer, buffer.count)
            if count <= 0 { return nil }
            pending += buffer[..<count]
        }
    }

    func endInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// How it ended; `-9` when it was killed.
    func killAndWait() -> Int32 {
        kill(pid, SIGKILL)
        return wait()
    }

    func wait() -> Int32 {
        isWaitedFor = true
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : -signal
    }
}
