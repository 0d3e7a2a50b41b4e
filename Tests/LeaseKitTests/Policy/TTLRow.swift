// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// A duration in a table, written as operators write it; may be negative.
struct Span: ExpressibleByStringLiteral, Sendable {
    let duration: Duration

    init(stringLiteral text: String) {
        do {
            duration = try LeaseDuration.parse(text, allowingNegative: true)
        } catch {
            fatalError("\(text): \(error)")
        }
    }
}

/// One sentence of the specification: limits and a request, and what is to come of them.
///
/// Where a row says nothing, the system grants 12 h by default and 24 h at most. Instants are offsets from a fixed one,
/// and now is that one.
struct TTLRow: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        case grant(Grant)
        case refusal(TTLError.Code)
    }

    struct Grant: Sendable {
        let ttl: Span
        let bound: TTLBound
        let left: Span?
        let ends: Span?
        let warnings: [String]
    }

    static let epoch = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    static let usualSystem = limits("12h", max: "24h")

    let sentence: String
    let system: TTLLimits
    let mount: TTLLimits
    let role: TTLLimits
    let request: TTLRequest
    let outcome: Outcome

    init(
        _ sentence: String,
        system: TTLLimits = usualSystem,
        mount: TTLLimits = limits(),
        role: TTLLimits = limits(),
        asks: Span? = nil,
        period: Span? = nil,
        explicit: Span? = nil,
        issued: Span? = nil,
        now: Span = "0s",
        parent: Span? = nil,
        _ outcome: Outcome
    ) {
        self.sentence = sentence
        self.system = system
        self.mount = mount
        self.role = role
        self.outcome = outcome
        request = TTLRequest(
            now: Self.epoch + now.duration,
            issuedAt: issued.map { Self.epoch + $0.duration },
            increment: asks?.duration,
            explicitMaximum: explicit?.duration,
            period: period?.duration,
            parentEnd: parent.map { Self.epoch + $0.duration }
        )
    }

    var testDescription: String { sentence }

    /// Decides, and compares every part of the decision with what the row says.
    func check(_ rules: TTLRuleSet) throws {
        let policy = TTLPolicy(rules: rules, system: system, mount: mount, role: role)
        switch outcome {
        case .refusal(let code):
            let error = #expect(throws: TTLError.self) { try policy.decide(request) }
            #expect(error?.code == code)
        case .grant(let grant):
            let decision = try policy.decide(request)
            #expect(decision.ttl == grant.ttl.duration)
            #expect(decision.boundBy == grant.bound)
            #expect(decision.leftToMaximum == grant.left?.duration)
            #expect((decision.maximumAt == nil) == (grant.left == nil))
            #expect(decision.warnings.map(\.message) == grant.warnings)
            let ends = grant.ends.map { Self.epoch + $0.duration } ?? request.now + grant.ttl.duration
            #expect(decision.expiresAt == ends)
            #expect(decision.isCapped == (!grant.warnings.isEmpty || grant.bound == .parent))
        }
    }
}

extension TTLRow.Outcome {
    /// `left: nil` says that there is no age limit; `ends` is given where it is not now plus the time granted.
    static func grants(
        _ ttl: Span,
        _ bound: TTLBound,
        left: Span?,
        ends: Span? = nil,
        _ warnings: String...
    ) -> Self {
        .grant(TTLRow.Grant(ttl: ttl, bound: bound, left: left, ends: ends, warnings: warnings))
    }
}

/// The limits of a layer in a table.
func limits(_ ttl: Span? = nil, max: Span? = nil, period: Span? = nil) -> TTLLimits {
    TTLLimits(ttl: ttl?.duration, maximum: max?.duration, period: period?.duration)
}

/// The warning about a TTL, as Vault words it.
func ttlWarning(_ wanted: String, _ left: String) -> String {
    #"TTL of "\#(wanted)" exceeded the effective max_ttl of "\#(left)"; TTL value is capped accordingly"#
}

/// The warning about a period, as Vault words it.
func periodWarning(_ wanted: String, _ maximum: String) -> String {
    #"period of "\#(wanted)" exceeded the effective max_ttl of "\#(maximum)"; period value is capped accordingly"#
}
