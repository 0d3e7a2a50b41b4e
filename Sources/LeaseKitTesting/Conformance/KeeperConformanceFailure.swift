// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Every rule that a keeper broke.
public struct KeeperConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// One broken rule.
    public struct Violation: Hashable, Sendable, CustomStringConvertible {
        /// The rule.
        public let rule: KeeperRule
        /// What was seen.
        public let detail: String

        /// The rule and what was seen.
        public var description: String { "\(rule.rawValue): \(detail)" }
    }

    /// What it broke, in the order in which it was found.
    public let violations: [Violation]

    /// The broken rules.
    public var rules: Set<KeeperRule> { Set(violations.map(\.rule)) }

    /// One line for each broken rule.
    public var description: String {
        "the keeper breaks \(rules.count) rule(s):" + violations.map { "\n- \($0)" }.joined()
    }
}
