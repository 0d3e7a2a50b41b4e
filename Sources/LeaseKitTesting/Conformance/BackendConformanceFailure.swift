// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Every rule that a backend broke.
public struct BackendConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// One broken rule.
    public struct Violation: Hashable, Sendable, CustomStringConvertible {
        /// The rule.
        public let rule: BackendRule
        /// What was seen instead.
        public let detail: String

        /// The rule and what was seen.
        public var description: String { "\(rule.rawValue): \(detail)" }
    }

    /// The kind of the backend.
    public let kind: String
    /// What it broke, in the order in which it was found.
    public let violations: [Violation]

    /// The broken rules.
    public var rules: Set<BackendRule> { Set(violations.map(\.rule)) }

    /// One line for each broken rule.
    public var description: String {
        "the backend \"\(kind)\" breaks \(violations.count) rule(s):"
            + violations.map { "\n- \($0)" }.joined()
    }
}
