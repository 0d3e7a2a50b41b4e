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

/// A process with a pipe at either end.
final class Shell: Sendable {
    struct Trouble: Error, CustomStringConvertible {
        let description: String
    }

    private let pid: pid_t
    private let input: Locked<Int32>
    private let output: Int32

    /// Held while pipes are made: another child started in between would keep their ends open.
    private static let spawning = Locked(())

    /// Starts it, and waits until it says that it is ready.
    init(_ command: [String]) throws {
        (pid, input, output) = try Self.spawning.withLock { _ in
            let (childInput, input) = try Self.makePipe()
            let (output, childOutput) = try Self.makePipe()
            let (pid, status) = spawn(command, input: childInput, output: childOutput)
            close(childInput)
            close(childOutput)
            if status != 0 { throw Trouble(description: "cannot start \(command[0]): \(status)") }
            return (pid, Locked(input), output)
        }
        let said = firstWords()
        if !said.hasSuffix("ready\n") {
            _ = finish()
            throw Trouble(description: said)
        }
    }

    deinit {
        endInput()
        close(output)
    }

    /// Everything up to the line `ready`, or to the end.
    private func firstWords() -> String {
        var said: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            said.append(byte)
            if byte == 0x0A, String(decoding: said, as: UTF8.self).hasSuffix("ready\n") { break }
        }
        return String(decoding: said, as: UTF8.self)
    }

    /// Says one line to it.
    func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        input.withLock { input in
            if input >= 0 { _ = write(input, bytes, bytes.count) }
        }
    }

    func endInput() {
        input.withLock { input in
            if input >= 0 { close(input) }
            input = -1
        }
    }

    /// Ends its input and waits for it; how it ended.
    @discardableResult
    func finish() -> Int32 {
        endInput()
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Runs a command that says `ready` and ends.
    static func run(_ command: [String]) throws {
        let shell = try Shell(command)
        if shell.finish() != 0 { throw Trouble(description: "\(command.last ?? "") failed") }
    }

    private static func makePipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble(description: "no pipe: \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
