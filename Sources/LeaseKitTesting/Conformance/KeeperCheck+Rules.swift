// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension KeeperCheck {
    /// Checks the rule; reopening is the suite's own.
    mutating func run() async throws {
        switch rule {
        case .unknownNameIsEmpty: try await expect("a")
        case .stageIsBesideCommitted: try await stageIsBesideCommitted()
        case .commitReplaces: try await commitReplaces()
        case .discardKeepsCommitted: try await discardKeepsCommitted()
        case .removeForgets: try await removeForgets()
        case .versionsGrow: try await versionsGrow()
        case .staleStageIsRefused: try await staleStageIsRefused()
        case .secondStageIsRefused: try await secondStageIsRefused()
        case .otherCommitIsRefused: try await otherCommitIsRefused()
        case .otherDiscardIsRefused: try await otherDiscardIsRefused()
        case .otherRemoveIsRefused: try await otherRemoveIsRefused()
        case .callsAreRepeatable: try await callsAreRepeatable()
        case .namesAreIndependent: try await namesAreIndependent()
        case .namesAreChecked: try await namesAreChecked()
        case .secretsAreChecked: try await secretsAreChecked()
        case .bytesArePreserved: try await bytesArePreserved()
        case .oneOfManyWins: try await oneOfManyWins()
        case .errorsHoldNoSecret: try await errorsHoldNoSecret()
        case .reopeningKeepsAll: break
        }
    }

    private mutating func stageIsBesideCommitted() async throws {
        let first = try await stage("a", "first")
        try await expect("a", staged: ("first", first))
        try await keeper.commit("a", version: first)
        let second = try await stage("a", "second", over: first)
        try await expect("a", committed: ("first", first), staged: ("second", second))
    }

    private mutating func commitReplaces() async throws {
        let first = try await committed("a", "first")
        try await expect("a", committed: ("first", first))
        let second = try await committed("a", "second", over: first)
        try await expect("a", committed: ("second", second))
    }

    private mutating func discardKeepsCommitted() async throws {
        let early = try await stage("a", "early")
        try await keeper.discard("a", version: early)
        try await expect("a")
        let first = try await committed("a", "first")
        let second = try await stage("a", "second", over: first)
        try await keeper.discard("a", version: second)
        try await expect("a", committed: ("first", first))
    }

    private mutating func removeForgets() async throws {
        let first = try await committed("a", "first")
        try await keeper.remove("a", version: first)
        try await expect("a")
    }

    private mutating func versionsGrow() async throws {
        var versions = [try await stage("a", "first")]
        try await keeper.discard("a", version: versions[0])
        versions.append(try await committed("a", "first"))
        versions.append(try await committed("a", "third", over: versions[1]))
        try await keeper.remove("a", version: versions[2])
        versions.append(try await stage("a", "third"))
        expect(zip(versions, versions.dropFirst()).allSatisfy(<), "the versions were \(versions)")
        expect(versions[0] > 0, "the first version was 0")
    }

    private mutating func callsAreRepeatable() async throws {
        let first = try await stage("a", "first")
        let again = try await stage("a", "first")
        expect(again == first, "the same stage got version \(again) after \(first)")
        for _ in 0..<2 { try await keeper.commit("a", version: first) }
        let second = try await stage("a", "second", over: first)
        for _ in 0..<2 { try await keeper.discard("a", version: second) }
        try await expect("a", committed: ("first", first))
        let third = try await stage("a", "second", over: first)
        try await keeper.discard("a", version: second)
        try await expect("a", committed: ("first", first), staged: ("second", third))
        try await keeper.discard("a", version: third)
        for _ in 0..<2 { try await keeper.remove("a", version: first) }
        try await expect("a")
    }

    private mutating func namesAreIndependent() async throws {
        let one = try await committed("a/b", "one")
        let two = try await committed("a/B", "two")
        let three = try await stage("a", "three")
        try await keeper.remove("a/B", version: two)
        try await keeper.discard("a", version: three)
        try await expect("a/b", committed: ("one", one))
        try await expect("a/B")
    }

    private mutating func bytesArePreserved() async throws {
        let bytes = (0...255).map { UInt8($0) } + [0, 0xFF, 0xFE, 0x0A]
        let version = try await keeper.stage(SecretText(utf8: bytes), as: "a", replacing: nil)
        try await keeper.commit("a", version: version)
        let found = try await keeper.load("a").committed?.secret.withBytes { Array($0) }
        expect(found == bytes, "260 bytes came back as \(found?.count ?? 0) others")
    }

    private mutating func oneOfManyWins() async throws {
        let keeper = keeper
        let attempts = 20
        let winners = try await withThrowingTaskGroup(of: UInt64?.self) { group in
            for attempt in 0..<attempts {
                group.addTask {
                    let own = try await keeper.stage(SecretText("own"), as: "own/\(attempt)", replacing: nil)
                    try await keeper.commit("own/\(attempt)", version: own)
                    return try? await keeper.stage(SecretText("\(attempt)"), as: "a", replacing: nil)
                }
            }
            return try await group.reduce(into: [UInt64]()) { all, version in version.map { all.append($0) } }
        }
        expect(winners.count == 1, "\(winners.count) of \(attempts) different stages succeeded")
        expect(try await keeper.load("a").staged?.version == winners.first, "the winner's stage is not there")
        for attempt in 0..<attempts {
            let own = try await keeper.load("own/\(attempt)").committed?.secret
            expect(own == SecretText("own"), "what was committed as own/\(attempt) is not there")
        }
    }
}
