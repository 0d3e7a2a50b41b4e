// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// Temporary credentials of a fake account.
struct FakeSession: Sendable {
    /// The role that was assumed; nil for the other kinds.
    let role: String?
    let name: String
    let issuedAt: LeaseInstant
    let end: LeaseInstant

    /// Whether a policy of the role denies it everything, as AWS reads one.
    func isDenied(by document: FakeDenials) -> Bool {
        // All conditions have to hold, and of the values of one any.
        document.statements.contains {
            $0.allSatisfy { condition in condition.values.contains { holds(condition, $0) } }
        }
    }

    func isDenied(by document: String) -> Bool { isDenied(by: FakeDenials(document)) }

    private func holds(_ condition: FakeDenials.Condition, _ value: String) -> Bool {
        switch (condition.name, condition.key) {
        case ("StringLike", "aws:userid"): return Self.isLike("AROA123:\(name)", value)
        case ("DateLessThan", "aws:TokenIssueTime"): return LeaseInstant(text: value).map { issuedAt < $0 } ?? false
        case ("DateGreaterThanEquals", "aws:TokenIssueTime"):
            return LeaseInstant(text: value).map { issuedAt >= $0 } ?? false
        default: return false
        }
    }

    /// Stars stand for anything.
    private static func isLike(_ text: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return text == pattern }
        guard text.hasPrefix(first), text.hasSuffix(last) else { return false }
        var rest = text.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() {
            guard let place = rest.firstRange(of: part) else { return false }
            rest = rest[place.upperBound...]
        }
        return rest.count >= last.count
    }
}

/// What a policy denies entirely, read once.
struct FakeDenials: Sendable {
    struct Condition: Sendable {
        let name: String
        let key: String
        let values: [String]
    }

    /// The conditions of each statement.
    let statements: [[Condition]]

    init(_ document: String) {
        let object = try? JSONSerialization.jsonObject(with: Data(document.utf8)) as? [String: Any]
        statements = (object?["Statement"] as? [[String: Any]] ?? []).compactMap { statement in
            guard statement["Effect"] as? String == "Deny", statement["Action"] as? String == "*",
                let conditions = statement["Condition"] as? [String: [String: Any]]
            else { return nil }
            return conditions.flatMap { name, keys in
                keys.map { key, values in
                    let list = values as? [String] ?? (values as? String).map { [$0] } ?? []
                    return Condition(name: name, key: key, values: list)
                }
            }
        }
    }
}
