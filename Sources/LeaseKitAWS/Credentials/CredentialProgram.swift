// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A program that is started for what it writes.
final class CredentialProgram: Sendable {
    struct Outcome: Sendable {
        let status: Int32
        let output: [UInt8]
    }

    private struct State {
        var status: Int32?
        var output: [UInt8]?
        var isStopped = false
        var waiting: CheckedContinuation<Outcome?, Never>?

        /// What there is to say, and who waits for it, once there is something.
        mutating func finish() -> (CheckedContinuation<Outcome?, Never>, Outcome?)? {
            guard let waiting, isStopped || (status != nil && output != nil) else { return nil }
            self.waiting = nil
            guard let status, let output else { return (waiting, nil) }
            return (waiting, Outcome(status: status, output: output))
        }
    }

    /// No credentials are longer.
    static let mostOutput = 65_536

    private let state = Locked(State())
    private let process = Locked<Int32?>(nil)

    func start(_ executable: URL, _ arguments: [String], _ environment: [String: String]) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.terminationHandler = { [self] process in
            self.process.withLock { $0 = nil }
            change {
                $0.status = process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
            }
        }
        try process.run()
        let number = process.processIdentifier
        // It may be over already.
        self.process.withLock { id in if state.withLock({ $0.status == nil }) { id = number } }
        // Reading blocks; a thread of its own may.
        Thread.detachNewThread { [self] in
            let handle = pipe.fileHandleForReading
            let output = read(handle.fileDescriptor)
            try? handle.close()
            change { $0.output = output }
        }
    }

    /// Reads until the end, or until nobody waits any longer: a child of the program may keep the pipe open for ever.
    private func read(_ file: Int32) -> [UInt8] {
        var output: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4_096)
        while output.count <= Self.mostOutput {
            var waiting = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, 100)
            if state.withLock({ $0.isStopped }) || (ready < 0 && errno != EINTR) { break }
            guard ready > 0 else { continue }
            #if canImport(Glibc)
                let count = Glibc.read(file, &part, part.count)
            #elseif canImport(Musl)
                let count = Musl.read(file, &part, part.count)
            #else
                let count = Darwin.read(file, &part, part.count)
            #endif
            guard count > 0 else { break }
            output += part.prefix(count)
        }
        return output
    }

    private func change(_ body: (inout State) -> Void) {
        let finished = state.withLock { state in
            body(&state)
            return state.finish()
        }
        if let (waiting, outcome) = finished { waiting.resume(returning: outcome) }
    }

    /// Waits for its end; nil when it was stopped before.
    func outcome() async -> Outcome? {
        await withCheckedContinuation { continuation in
            change { $0.waiting = continuation }
        }
    }

    /// Ends it, if it has not ended; nobody waits any longer.
    func stop() {
        // Of signals only this one is sure to reach it: threads of Swift block the others, and so do their children.
        process.withLock { id in if let id { kill(id, SIGKILL) } }
        change { $0.isStopped = true }
    }
}
