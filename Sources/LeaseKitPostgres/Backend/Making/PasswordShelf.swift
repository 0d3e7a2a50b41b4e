// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Passwords that were made while the server was busy, with their verifiers: stretching one takes a millisecond.
///
/// Each issue takes one and makes one, so that there are never more than issues were under way at once.
final class PasswordShelf: Sendable {
    struct Item: Sendable {
        let password: SecretText
        let verifier: SecretText
    }

    private struct Kind: Hashable {
        let policy: PasswordPolicy
        let iterations: Int
    }

    /// With fewer iterations a verifier is made faster than handed to another task.
    private static let worthwhile = 256
    /// For each kind.
    private static let limit = 16

    private let items = Locked<[Kind: [Item]]>([:])

    /// One that is ready, or else a new one.
    func take(for role: PostgresRole) throws -> Item {
        let kind = Kind(policy: role.password, iterations: role.iterations)
        return try items.withLock { $0[kind]?.popLast() } ?? make(role)
    }

    /// Makes one for the next issue.
    @concurrent
    func restock(for role: PostgresRole) async {
        let kind = Kind(policy: role.password, iterations: role.iterations)
        guard role.iterations >= Self.worthwhile, items.withLock({ ($0[kind]?.count ?? 0) < Self.limit }) else {
            return
        }
        guard let item = try? make(role) else { return }
        items.withLock { items in
            if items[kind, default: []].count < Self.limit { items[kind, default: []].append(item) }
        }
    }

    /// Throws away what is there: a role was changed.
    func clear() { items.withLock { $0 = [:] } }

    private func make(_ role: PostgresRole) throws -> Item {
        let password = role.password.makePassword()
        return Item(password: password, verifier: try SCRAMVerifier(password, iterations: role.iterations).text)
    }
}
