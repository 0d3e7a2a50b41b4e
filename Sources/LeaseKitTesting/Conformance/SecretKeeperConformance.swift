// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// The promises of a keeper, as a suite that a keeper's author runs in their own tests.
///
/// ```swift
/// @Test func conforms() async throws {
///     var suite = SecretKeeperConformance { try await MyKeeper.empty() }
///     suite.reopen = { keeper in try await (keeper as? MyKeeper)?.openedAgain() }
///     try await suite.run()
/// }
/// ```
///
/// Each rule gets a keeper of its own. It throws ``KeeperConformanceFailure`` with everything that was wrong. What it
/// cannot see from here is a crash: kill a process of your own for that.
public struct SecretKeeperConformance: Sendable {
    private let makeKeeper: @Sendable () async throws -> any SecretKeeper

    /// Closes a keeper and opens what it wrote; without it, ``KeeperRule/reopeningKeepsAll`` is not checked.
    public var reopen: (@Sendable (any SecretKeeper) async throws -> (any SecretKeeper)?)?

    /// Makes a suite for the keepers that a closure makes, each of them empty.
    public init(makeKeeper: @escaping @Sendable () async throws -> any SecretKeeper) {
        self.makeKeeper = makeKeeper
    }

    /// Checks every rule.
    ///
    /// - Throws: ``KeeperConformanceFailure``, or whatever `makeKeeper` throws.
    public func run() async throws {
        var violations: [KeeperConformanceFailure.Violation] = []
        for rule in KeeperRule.allCases {
            var check = KeeperCheck(rule: rule, keeper: try await makeKeeper())
            do {
                if rule == .reopeningKeepsAll {
                    try await checkReopening(&check)
                } else {
                    try await check.run()
                }
            } catch {
                check.note("it threw \(error)")
            }
            violations += check.violations
        }
        if !violations.isEmpty { throw KeeperConformanceFailure(violations: violations) }
    }

    private func checkReopening(_ check: inout KeeperCheck) async throws {
        guard let reopen else { return }
        let first = try await check.committed("a", "first")
        let second = try await check.stage("a", "second", over: first)
        let discarded = try await check.stage("b", "third")
        try await check.keeper.discard("b", version: discarded)
        guard let again = try await reopen(check.keeper) else { return check.note("it did not open again") }
        check.keeper = again
        try await check.expect("a", committed: ("first", first), staged: ("second", second))
        try await check.expect("b")
        let next = try await check.stage("b", "fourth")
        check.expect(next > discarded, "version \(next) came after \(discarded)")
    }
}
