// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a store did against the rules.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// One broken rule.
    public struct Violation: Hashable, Sendable, CustomStringConvertible {
        /// The rule's name, or the step of a random run.
        public let rule: String
        /// What should have been.
        public let expected: String
        /// What was.
        public let seen: String

        /// The rule, what should have been and what was.
        public var description: String { "\(rule): expected \(expected), saw \(seen)" }
    }

    /// The seed of the random run; nil for scripted rules.
    public let seed: UInt64?
    /// Every broken rule.
    public let violations: [Violation]

    /// Every broken rule on a line of its own, and the seed to see it again.
    public var description: String {
        let lines = violations.map { "- \($0)" }.joined(separator: "\n")
        let replay = seed.map { " Run again with seed \($0)." } ?? ""
        return "The store broke \(violations.count) rule\(violations.count == 1 ? "" : "s").\(replay)\n\(lines)"
    }
}

/// Collects broken rules.
struct Findings {
    private(set) var violations: [ConformanceFailure.Violation] = []
    /// What is looked at now.
    var rule = ""

    mutating func expect(_ holds: Bool, _ expected: @autoclosure () -> String, _ seen: @autoclosure () -> String) {
        if !holds { note(expected(), seen()) }
    }

    mutating func note(_ expected: String, _ seen: String) {
        violations.append(.init(rule: rule, expected: expected, seen: seen))
    }

    mutating func expectEqual<Value: Equatable>(_ seen: Value, _ expected: Value, _ what: String) {
        expect(seen == expected, "\(what) \(expected)", "\(seen)")
    }
}
