// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Synchronization

/// Orders over a tenth of the leases each, while somebody else renews other leases all the time.
///
/// The longest renewal of a round is compared with the longest while no order is carried out: where other programs want the
/// processor, too, both are as long as one of those is let run. The medians of the rounds count.
func measurePrefixOrder(_ scale: Scale) async throws -> [Measurement] {
    let size = scale.largest
    let name = "order over \(text(of: size / 10)) of \(text(of: size))"
    let rounds = try await World().running { world in
        let leases = try await world.issue(size)
        var rounds: [Round] = []
        for group in 0..<5 { rounds.append(try await Round(group, size / NoOpBackend.groupCount, leases, world)) }
        return rounds
    }
    func middle(_ value: KeyPath<Round, Duration>) -> Double {
        median(rounds.map { $0[keyPath: value] / .milliseconds(1) })
    }
    let quiet = middle(\.longestBefore)
    let hasTargets = scale.hasTargets(at: size)
    return [
        Measurement("\(name): answer", middle(\.answer), "ms", target: hasTargets ? 5 : nil),
        Measurement(
            "\(name): longest other call",
            middle(\.longestMeanwhile),
            "ms",
            baseline: quiet,
            target: hasTargets ? quiet + 5 : nil
        ),
        Measurement("\(name): all gone", middle(\.gone) / 1_000, "s"),
    ]
}

/// One order, and what somebody else saw of it.
private struct Round {
    var longestBefore = Duration.zero
    var longestMeanwhile = Duration.zero
    /// Until the order was placed.
    var answer = Duration.zero
    /// Until the last lease was gone.
    var gone = Duration.zero

    init(_ group: Int, _ count: Int, _ leases: [LeaseID], _ world: World) async throws {
        // Leases of later groups only: those of this one go, and those of earlier ones are gone.
        let others = leases.enumerated().filter { $0.offset % NoOpBackend.groupCount > group }.map(\.element)
        let caller = Caller(world: world, leases: others)
        longestBefore = try await caller.longestCall { try await Task.sleep(for: .milliseconds(500)) }
        var (answer, gone) = (Duration.zero, Duration.zero)
        longestMeanwhile = try await caller.longestCall {
            let start = ContinuousClock.now
            let options = RevokeOptions(wait: .zero)
            let order = try await world.manager.revoke(.prefix("bench/group-\(group)"), options).order
            answer = ContinuousClock.now - start
            let report = try await world.manager.waitForReport(of: order, atMost: .seconds(300))
            gone = ContinuousClock.now - start
            guard report.isComplete, report.revoked == count else { throw Unexpected(report) }
        }
        (self.answer, self.gone) = (answer, gone)
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
