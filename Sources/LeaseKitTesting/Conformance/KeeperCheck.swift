// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One rule, one keeper, and short ways to say things.
struct KeeperCheck {
    let rule: KeeperRule
    var keeper: any SecretKeeper
    private(set) var violations: [KeeperConformanceFailure.Violation] = []

    init(rule: KeeperRule, keeper: any SecretKeeper) {
        self.rule = rule
        self.keeper = keeper
    }

    mutating func note(_ detail: String) { violations.append(.init(rule: rule, detail: detail)) }

    mutating func expect(_ holds: Bool, _ detail: @autoclosure () -> String) {
        if !holds { note(detail()) }
    }

    /// Stages; answers with the version.
    func stage(_ name: String, _ secret: String, over version: UInt64? = nil) async throws(SecretKeeperError) -> UInt64
    {
        try await keeper.stage(SecretText(secret), as: name, replacing: version)
    }

    /// Stages and commits; answers with the version.
    func committed(_ name: String, _ secret: String, over version: UInt64? = nil) async throws -> UInt64 {
        let version = try await stage(name, secret, over: version)
        try await keeper.commit(name, version: version)
        return version
    }

    /// Expects exactly this under a name.
    mutating func expect(
        _ name: String,
        committed: (String, UInt64)? = nil,
        staged: (String, UInt64)? = nil
    ) async throws {
        let kept = try await keeper.load(name)
        expect(Self.isSame(kept.committed, committed), "committed \(Self.words(kept.committed, committed))")
        expect(Self.isSame(kept.staged, staged), "staged \(Self.words(kept.staged, staged))")
    }

    /// Expects a refusal of one kind that leaves a name as it was.
    mutating func expect(
        _ code: SecretKeeperError.Code,
        on name: String,
        _ what: String,
        _ call: (Self) async throws(SecretKeeperError) -> Void
    ) async throws {
        let before = try await keeper.load(name)
        do {
            try await call(self)
            note("\(what) was not refused")
        } catch {
            expect(error.code == code, "\(what) was refused with \(error.code), not \(code)")
        }
        expect(try await keeper.load(name) == before, "\(what) changed something")
    }

    private static func isSame(_ found: KeptSecret?, _ wanted: (String, UInt64)?) -> Bool {
        guard let found, let wanted else { return found == nil && wanted == nil }
        return found.secret == SecretText(wanted.0) && found.version == wanted.1
    }

    private static func words(_ found: KeptSecret?, _ wanted: (String, UInt64)?) -> String {
        let seen = found.map { "version \($0.version) (\($0.secret.byteCount) bytes)" } ?? "nothing"
        let meant = wanted.map { "version \($0.1) (\($0.0.utf8.count) bytes)" } ?? "nothing"
        return "\(seen), not \(meant)"
    }
}
