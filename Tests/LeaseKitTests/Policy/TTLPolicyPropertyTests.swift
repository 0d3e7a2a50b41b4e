// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// What holds for every policy and every request, tried on random ones.
@Suite struct TTLPolicyPropertyTests {
    /// A policy and a request drawn together.
    struct Sample {
        var policy: TTLPolicy
        var request: TTLRequest
    }

    private static let rounds = 20_000
    private static let start: Int64 = 1_800_000_000

    /// Tries a property on many samples and stops at the first that breaks it.
    private func forAll(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ property: (inout SeededGenerator) -> String?
    ) {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<Self.rounds {
            if let failure = property(&random) {
                Issue.record("LEASEKIT_SEED=\(seed), round \(round): \(failure)", sourceLocation: sourceLocation)
                return
            }
        }
    }

    /// A length of time from few enough values that equal ones and near misses are common.
    private func length(_ random: inout SeededGenerator, whole: Bool) -> Duration {
        let hours = [1, 2, 3, 6, 12, 24, 48, 1_000].randomElement(using: &random) ?? 1
        let seconds = [0, 0, 0, -1, 1, 59].randomElement(using: &random) ?? 0
        let parts = [0, 0, 0, 1, -1, 500_000_000, 999_999_999].randomElement(using: &random) ?? 0
        return .seconds(hours * 3_600 + seconds) + .nanoseconds(whole ? 0 : parts)
    }

    private func maybe(_ random: inout SeededGenerator, whole: Bool, wild: Bool = false) -> Duration? {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: nil
        case 4 where wild: .zero
        case 5 where wild: .zero - length(&random, whole: whole)
        default: length(&random, whole: whole)
        }
    }

    private func limits(_ random: inout SeededGenerator, whole: Bool, wild: Bool, periodic: Bool) -> TTLLimits {
        TTLLimits(
            ttl: maybe(&random, whole: whole, wild: wild),
            maximum: maybe(&random, whole: whole, wild: wild),
            period: periodic ? maybe(&random, whole: whole, wild: wild) : nil
        )
    }

    /// Draws a sample; `whole` keeps to whole seconds and the past, `wild` lets zero and negative times in.
    private func sample(
        _ random: inout SeededGenerator,
        rules: TTLRuleSet,
        whole: Bool = false,
        wild: Bool = false
    ) -> Sample {
        let periodic = Int.random(in: 0..<4, using: &random) == 0
        var policy = TTLPolicy(
            rules: rules,
            mount: limits(&random, whole: whole, wild: wild, periodic: false),
            role: limits(&random, whole: whole, wild: wild, periodic: periodic)
        )
        policy.system = limits(&random, whole: whole, wild: wild, periodic: false)
        if policy.system.ttl == nil, Bool.random(using: &random) { policy.system.ttl = .seconds(43_200) }
        if policy.system.maximum == nil { policy.system.maximum = length(&random, whole: whole) }

        var now = LeaseInstant(secondsSinceEpoch: Self.start)
        if !whole { now = now + .nanoseconds(Int64.random(in: 0..<1_000_000_000, using: &random)) }
        var request = TTLRequest(now: now)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: break
        case 1 where !whole: request.issuedAt = now + length(&random, whole: false)
        default: request.issuedAt = now - length(&random, whole: whole)
        }
        request.increment = maybe(&random, whole: whole, wild: wild)
        request.explicitMaximum = maybe(&random, whole: whole, wild: wild)
        request.period = periodic ? maybe(&random, whole: whole, wild: wild) : nil
        if Int.random(in: 0..<3, using: &random) == 0 { request.parentEnd = now + length(&random, whole: whole) }
        return Sample(policy: policy, request: request)
    }

    private func outcome(_ sample: Sample) -> Result<TTLDecision, TTLError> {
        Result { () throws(TTLError) in try sample.policy.decide(sample.request) }
    }

    @Test func vaultAgreesWithTheModel() {
        forAll { random in
            var sample = sample(&random, rules: .vault, wild: true)
            sample.request.parentEnd = nil
            let (policy, request) = (sample.policy, sample.request)
            func number(_ duration: Duration?) -> Int { Int(duration?.saturatingNanoseconds ?? 0) }
            let model = VaultModel(
                serverDefault: number(policy.system.ttl),
                serverMax: number(policy.system.maximum),
                mountDefault: number(policy.mount.ttl),
                mountMax: number(policy.mount.maximum),
                backendTTL: number(policy.role.ttl),
                backendMax: number(policy.role.maximum),
                increment: number(request.increment),
                period: number(request.period) > 0 ? number(request.period) : number(policy.role.period),
                explicitMax: number(request.explicitMaximum),
                start: request.issuedAt.map { Int($0.nanosecondsSinceEpoch) },
                now: Int(request.now.nanosecondsSinceEpoch)
            )
            let answer: VaultModel.Answer
            switch outcome(sample) {
            case .failure(let error):
                answer = .failure(error.vaultText ?? "\(error)")
            case .success(let decision):
                let warnings = decision.warnings.map {
                    "\($0.code == .periodCapped ? "period" : "TTL") \(number($0.wanted)) over \(number($0.allowed))"
                }
                answer = .ttl(number(decision.ttl), warnings: warnings)
            }
            let expected = model.calculate()
            return answer == expected ? nil : "\(sample): \(answer), not \(expected)"
        }
    }

    @Test(arguments: [TTLRuleSet.exact, .vault])
    func neverPastACeiling(_ rules: TTLRuleSet) {
        forAll { random in
            let sample = sample(&random, rules: rules)
            guard case .success(let decision) = outcome(sample) else { return nil }
            let (policy, request) = (sample.policy, sample.request)
            let maximums = [policy.role.maximum, policy.mount.maximum ?? policy.system.maximum]
            let isPeriodic = request.period ?? policy.role.period != nil
            // In the exact rule set a lease cannot be younger than nothing; in Vault's it can.
            let issuedAt = request.issuedAt ?? request.now
            let start = rules == .exact ? min(issuedAt, request.now) : issuedAt
            for case let maximum? in isPeriodic ? [] : maximums where decision.expiresAt > start + maximum {
                return "\(sample) outlives \(maximum): \(decision)"
            }
            for case let maximum? in isPeriodic ? maximums : [] where decision.ttl > maximum {
                return "\(sample) runs longer than \(maximum): \(decision)"
            }
            if let maximum = request.explicitMaximum, decision.expiresAt > start + maximum {
                return "\(sample) outlives its explicit maximum: \(decision)"
            }
            if let end = request.parentEnd, decision.expiresAt > end { return "\(sample) outlives its parent" }
            if let end = decision.maximumAt, decision.expiresAt > end { return "\(sample) is past \(end)" }
            if let left = decision.leftToMaximum, decision.ttl > left { return "\(sample) is past \(left) left" }
            if rules == .exact, decision.expiresAt != request.now + decision.ttl { return "\(sample): \(decision)" }
            return nil
        }
    }

    @Test(arguments: [TTLRuleSet.exact, .vault])
    func aRaisedLimitNeverShortens(_ rules: TTLRuleSet) {
        let limits: [WritableKeyPath<Sample, Duration?>] = [
            \.policy.system.ttl, \.policy.system.maximum, \.policy.mount.ttl, \.policy.mount.maximum,
            \.policy.role.ttl, \.policy.role.maximum, \.policy.role.period,
            \.request.increment, \.request.explicitMaximum, \.request.period,
        ]
        forAll { random in
            let sample = sample(&random, rules: rules)
            var raised = sample
            let more = length(&random, whole: false)
            let choice = Int.random(in: 0...limits.count, using: &random)
            if choice == limits.count {
                raised.request.parentEnd = sample.request.parentEnd.map { $0 + more }
            } else {
                raised[keyPath: limits[choice]] = sample[keyPath: limits[choice]].map { $0 + more }
            }
            switch (outcome(sample), outcome(raised)) {
            case (.success(let before), .success(let after)):
                // Vault reckons the ttl from the start of the second, but a parent's end is exact: where a parent takes
                // over from a maximum, the ttl may lose that part of a second though the lease ends later.
                let isLonger = rules == .vault || after.ttl >= before.ttl
                return isLonger && after.expiresAt >= before.expiresAt
                    ? nil : "\(sample): \(before), but raised \(raised): \(after)"
            case (.success(let before), .failure(let error)):
                return "\(sample): \(before), but raised \(raised): \(error)"
            case (.failure, _):
                return nil
            }
        }
    }

    @Test(arguments: [TTLRuleSet.exact, .vault])
    func askingForWhatWasGrantedGrantsIt(_ rules: TTLRuleSet) {
        forAll { random in
            let sample = sample(&random, rules: rules)
            guard case .success(let first) = outcome(sample), first.ttl > .zero else { return nil }
            var again = sample
            again.request.increment = first.ttl
            guard case .success(let second) = outcome(again) else { return "\(again) is refused" }
            guard second.ttl == first.ttl, second.expiresAt == first.expiresAt else {
                return "\(sample): \(first), then \(second)"
            }
            let isPeriodic = sample.request.period ?? sample.policy.role.period != nil
            guard isPeriodic || second.warnings.isEmpty && second.boundBy == .request else {
                return "\(sample): \(second) warns of an exact fit"
            }
            return nil
        }
    }

    @Test(arguments: [TTLRuleSet.exact, .vault])
    func atTheCapTheEndStays(_ rules: TTLRuleSet) {
        forAll { random in
            let sample = sample(&random, rules: rules)
            let issuedAt = sample.request.issuedAt ?? sample.request.now
            guard case .success(let first) = outcome(sample), first.isCapped, issuedAt <= sample.request.now,
                first.expiresAt == first.maximumAt || first.boundBy == .parent,
                first.expiresAt > sample.request.now
            else { return nil }
            // Any later renewal that asks for as much again ends where the first one did.
            var later = sample
            later.request.issuedAt = issuedAt
            let running = first.expiresAt - sample.request.now
            later.request.now = sample.request.now + running / Int.random(in: 2...9, using: &random)
            later.request.increment = .seconds(10_000_000)
            guard case .success(let second) = outcome(later) else { return "\(later) is refused" }
            // What a period grants from a later now may still end before the maximum or the parent, but never sooner.
            let isPeriodic = sample.request.period ?? sample.policy.role.period != nil
            let holds = isPeriodic ? second.expiresAt >= first.expiresAt : second.expiresAt == first.expiresAt
            return holds ? nil : "\(sample): \(first), later \(second)"
        }
    }

    @Test func ruleSetsAgreeOnWholeSecondsOfThePast() {
        forAll { random in
            var sample = sample(&random, rules: .exact, whole: true)
            // Without any default the exact rule set refuses and Vault's grants nothing.
            if sample.policy.system.ttl == nil { sample.policy.system.ttl = .seconds(3_600) }
            let exact = outcome(sample)
            sample.policy.rules = .vault
            let vault = outcome(sample)
            return exact == vault ? nil : "\(sample): exact \(exact), vault \(vault)"
        }
    }
}
