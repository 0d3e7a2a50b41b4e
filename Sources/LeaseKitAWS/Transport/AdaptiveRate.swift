// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How often an action may be asked for, as learnt from the service's refusals.
///
/// There is no limit until the first refusal. It then drops to 7/10 of what was being sent, and grows again with a cubic
/// curve: fast back to near the old rate, slowly around it, then on beyond. Long after the last refusal the limit goes.
struct AdaptiveRate: Sendable {
    static let drop = 0.7
    static let growth = 0.4
    static let slowest = 0.5
    static let forgetsAfter = Duration.seconds(120)

    /// Requests a second; nil without a limit.
    private(set) var limit: Double?
    private var peak = 0.0
    private var refusedAt = Duration.zero
    private var nextSlot = Duration.zero
    private var measured = 0.0
    private var window = Duration.zero
    private var sentInWindow = 0

    /// Takes the next turn and says when it is.
    ///
    /// A turn after `deadline` is not taken, or calls that give up would put off those that come after them.
    mutating func reserve(at now: Duration, before deadline: Duration = .seconds(Int64.max)) -> Duration {
        if limit != nil, now - refusedAt > Self.forgetsAfter { limit = nil }
        guard let limit else {
            measure(now)
            return now
        }
        let slot = max(now, nextSlot)
        guard slot < deadline else { return slot }
        nextSlot = slot + .seconds(1) / limit
        measure(slot)
        return slot
    }

    /// The service said that it was too much.
    mutating func refused(at now: Duration) {
        // Requests that were under way together are refused together: one of them is heard.
        if limit != nil, now - refusedAt < .milliseconds(500) { return }
        let rate = min(limit ?? .infinity, max(measured, Double(sentInWindow)))
        peak = max(rate, Self.slowest)
        limit = max(peak * Self.drop, Self.slowest)
        refusedAt = now
        nextSlot = max(nextSlot, now + .seconds(1) / (limit ?? 1))
    }

    /// The service answered.
    mutating func answered(at now: Duration) {
        guard let old = limit else { return }
        let time = (now - refusedAt) / .seconds(1)
        let turn = cubeRoot(peak * (1 - Self.drop) / Self.growth)
        let distance = time - turn
        limit = max(old, min(Self.growth * distance * distance * distance + peak, 2 * max(old, 1)))
    }

    private mutating func measure(_ now: Duration) {
        if now - window >= .milliseconds(500) {
            let rate = Double(sentInWindow) / max((now - window) / .seconds(1), 0.5)
            measured = 0.8 * rate + 0.2 * measured
            (window, sentInWindow) = (now, 0)
        }
        sentInWindow += 1
    }

    /// By Newton's steps: the standard library has no cube root without a C library.
    private func cubeRoot(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        var root = max(value, 1)
        for _ in 0..<60 { root = (2 * root + value / (root * root)) / 3 }
        return root
    }
}
