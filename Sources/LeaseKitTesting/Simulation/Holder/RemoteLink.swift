// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The way from a holder's machine to its broker, which may be cut, slow, or lose what it carries.
///
/// Unchecked, because a simulated run has one thread.
final class RemoteLink: @unchecked Sendable {
    /// What goes wrong with one call.
    enum Fault: CaseIterable {
        case refuse, lose, loseReply, slow, slowReply, twice
    }

    /// How long a caller waits for an answer, when nothing else ends its wait before.
    static let patience = Duration.seconds(15)

    let time: VirtualTime
    /// How it is cut.
    private(set) var cut: TargetPartition?
    /// Since when it carries everything.
    private(set) var upSince = Duration.zero
    private var script: [Fault] = []

    init(time: VirtualTime) { self.time = time }

    func cut(_ kind: TargetPartition) { cut = kind }

    func heal() {
        guard cut != nil else { return }
        cut = nil
        upSince = time.read().continuous
    }

    func stopFaults() {
        script = []
        heal()
    }

    func plan(_ faults: [Fault]) { script += faults }

    /// Carries one call and its answer.
    func carry<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        switch nextFault() {
        case nil: return try await body()
        case .refuse: throw LeaseError(.targetUnavailable, "the broker cannot be reached")
        case .lose: throw await unanswered()
        case .loseReply:
            _ = try? await body()
            throw await unanswered()
        case .slow:
            try await time.sleep(for: .seconds(4))
            return try await body()
        case .slowReply:
            let value = try await body()
            try await time.sleep(for: .seconds(4))
            return value
        case .twice:
            _ = try? await body()
            return try await body()
        }
    }

    private func nextFault() -> Fault? {
        switch cut {
        case .refusing: .refuse
        case .silent: .lose
        case .losingReplies: .loseReply
        case nil: script.isEmpty ? nil : script.removeFirst()
        }
    }

    private func unanswered() async -> LeaseError {
        try? await time.sleep(for: Self.patience)
        return LeaseError(.deadlineExceeded, "the broker did not answer")
    }
}
