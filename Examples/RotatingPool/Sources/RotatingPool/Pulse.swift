// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import Synchronization

/// How long whoever wants to run had to wait for it at worst: by this a starved process is told from a defect.
///
/// Two look at the clock every few milliseconds. A thread of its own shows pauses of the machine; a task those of the threads
/// that all tasks share, which are as few as there are cores.
final class Pulse: Sendable {
    /// The longest pauses.
    struct Pauses: Sendable {
        var machine = Duration.zero
        var tasks = Duration.zero
        /// How long it took to open a connection.
        var connecting = Duration.zero
        /// How much longer than planned nothing could be renewed.
        var overtime = Duration.zero
        var longest: Duration { max(machine, tasks) }
        var worst: Duration { max(longest, connecting, overtime) }
    }

    private struct State {
        var pauses = Pauses()
        var isOver = false
    }

    private static let step = Duration.milliseconds(3)
    private let state = Mutex(State())

    var pauses: Pauses { state.withLock { $0.pauses } }

    /// Opens a connection, and notes how long that took.
    func connecting(_ open: () async throws -> Connection) async throws -> Connection {
        let began = RealTime.now
        defer {
            let length = RealTime.now - began
            state.withLock { $0.pauses.connecting = max($0.pauses.connecting, length) }
        }
        return try await open()
    }

    /// Notes how much longer than planned nothing could be renewed.
    func noteOvertime(_ length: Duration) {
        state.withLock { $0.pauses.overtime = max($0.pauses.overtime, length) }
    }

    /// Looks until the task is cancelled.
    func run() async {
        Thread.detachNewThread { self.watchMachine() }
        var last = RealTime.now
        while (try? await RealTime.sleep(Self.step)) != nil {
            let now = RealTime.now
            state.withLock { $0.pauses.tasks = max($0.pauses.tasks, now - last) }
            last = now
        }
        state.withLock { $0.isOver = true }
    }

    private func watchMachine() {
        var last = RealTime.now
        while true {
            Thread.sleep(forTimeInterval: 0.003)
            let now = RealTime.now
            let isOver = state.withLock { state in
                state.pauses.machine = max(state.pauses.machine, now - last)
                return state.isOver
            }
            if isOver { return }
            last = now
        }
    }
}
