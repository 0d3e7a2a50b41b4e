// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Synchronization

/// An order over a tenth of the leases, while somebody else renews other leases all the time.
func measurePrefixOrder(_ scale: Scale) async throws -> [Measurement] {
    let size = scale.largest
    let hasTargets = scale.hasTargets(at: size)
    let name = "\(text(of: size / 10)) of \(text(of: size))"
    return try await World().running { world in
        let leases = try await world.issue(size)
        // Leases of the group that goes are every tenth; the caller leaves them alone.
        let others = leases.enumerated().filter { $0.offset % NoOpBackend.groupCount != 0 }.map(\.element)
        let caller = Caller(world: world, leases: others)

        let quiet = try await caller.longestCall { try await Task.sleep(for: .seconds(1)) }
        var answer = Duration.zero
        var gone = Duration.zero
        let busy = try await caller.longestCall {
            let start = ContinuousClock.now
            let options = RevokeOptions(wait: .zero)
            let order = try await world.manager.revoke(.prefix("bench/group-0"), options).order
            answer = ContinuousClock.now - start
            let report = try await world.manager.waitForReport(of: order, atMost: .seconds(300))
            gone = ContinuousClock.now - start
            guard report.isComplete, report.revoked == size / 10 else { throw Unexpected(report) }
        }
        return [
            Measurement(
                "order over \(name): answer",
                answer / .milliseconds(1),
                "ms",
                target: hasTargets ? 5 : nil
            ),
            Measurement(
                "order over \(name): longest renewal meanwhile",
                busy / .milliseconds(1),
                "ms",
                baseline: quiet / .milliseconds(1),
                target: hasTargets ? 5 : nil
            ),
            Measurement("order over \(name): all gone", gone / .seconds(1), "s"),
        ]
    }
}

/// Renews leases one after the other and keeps the longest time that one renewal took.
private struct Caller {
    let world: World
    let leases: [LeaseID]

    /// The longest call while `body` runs.
    func longestCall(while body: () async throws -> Void) async throws -> Duration {
        let isOver = Flag()
        async let longest = renew(until: isOver)
        do {
            try await body()
        } catch {
            isOver.raise()
            throw error
        }
        isOver.raise()
        return try await longest
    }

    private func renew(until isOver: Flag) async throws -> Duration {
        var longest = Duration.zero
        var next = 0
        while !isOver.isRaised {
            let start = ContinuousClock.now
            _ = try await world.mount.renew(leases[next % leases.count])
            longest = max(longest, ContinuousClock.now - start)
            next += 7_919
        }
        return longest
    }
}

/// Tells one task to stop from another.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .relaxed) }
    func raise() { value.store(true, ordering: .relaxed) }
}
