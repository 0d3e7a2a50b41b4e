// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseRecord {
    /// Where this record, as a store has it, differs from what it should be; nil when it does not.
    func difference(from expected: LeaseRecord) -> String? {
        var parts: [String] = []
        func compare<Value: Equatable>(_ name: String, _ seen: Value, _ expected: Value) {
            if seen != expected { parts.append("\(name) \(seen) instead of \(expected)") }
        }
        compare("id", id, expected.id)
        compare("path", Array(path.utf8), Array(expected.path.utf8))
        compare("handle", handle, expected.handle)
        compare("role", role, expected.role)
        compare("sequence", sequence, expected.sequence)
        compare("issuedAt", issuedAt, expected.issuedAt)
        compare("expiresAt", expiresAt, expected.expiresAt)
        compare("due", due, expected.due)
        compare("operation", operation, expected.operation)
        compare("mount", mount, expected.mount)
        compare("generation", generation, expected.generation)
        compare("incarnation", incarnation, expected.incarnation)
        compare("attempts", attempts, expected.attempts)
        compare("state", state, expected.state)
        compare("kind", kind, expected.kind)
        compare("urgency", urgency, expected.urgency)
        compare("isRenewable", isRenewable, expected.isRenewable)
        compare("bindsToParent", bindsToParent, expected.bindsToParent)
        compare("needsConfirmation", needsConfirmation, expected.needsConfirmation)
        compare("isHollow", isHollow, expected.isHollow)
        compare("needsParent", needsParent, expected.needsParent)
        compare("parent", parent, expected.parent)
        compare("lastRenewedAt", lastRenewedAt, expected.lastRenewedAt)
        compare("issueDeadline", issueDeadline, expected.issueDeadline)
        compare("orders", orders, expected.orders)
        compare("claim", claim, expected.claim)
        compare("details", details?.fields ?? Fields(), expected.details?.fields ?? Fields())
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

extension ChangeRefusal {
    /// Whether two refusals mean the same; which of several orders is named is the store's choice.
    func agrees(with other: ChangeRefusal) -> Bool {
        switch (self, other) {
        case (.covered, .covered), (.pathClosed, .pathClosed): true
        default: self == other
        }
    }
}
