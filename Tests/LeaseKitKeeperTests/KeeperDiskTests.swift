// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper
import Testing

/// What happens when the disk fails at one step, once.
@Suite struct KeeperDiskTests {
    private let trouble = Locked<(step: FileStep, error: SecretKeeperError)?>(nil)

    private func open(_ scratch: Scratch) async throws -> FileSecretKeeper {
        let trouble = trouble
        return try await scratch.open { step throws(SecretKeeperError) in
            let error = trouble.withLock { trouble -> SecretKeeperError? in
                guard let now = trouble, now.step == step else { return nil }
                trouble = nil
                return now.error
            }
            if let error { throw error }
        }
    }

    @Test(arguments: [FileStep.beginning, .written, .synced])
    func beforeTheRenameNothingWasDone(step: FileStep) async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let keeper = try await open(scratch)
        let before = try scratch.bytes()
        let version = try await keeper.load("a").committed?.version
        trouble.withLock { $0 = (step, SecretKeeperError(.diskFull, "injected")) }
        await expectCode(.diskFull) { try await keeper.stage(SecretText("new"), as: "a", replacing: version) }
        #expect(try scratch.bytes() == before)
        #expect(throws: (any Error).self) { try scratch.bytes(scratch.path + ".new") }
        #expect(try await keeper.load("a").texts == ["old", nil])
        _ = try await keeper.stage(SecretText("new"), as: "a", replacing: version)
        #expect(try await keeper.load("a").texts == ["old", "new"])
    }

    @Test(arguments: [FileStep.renamed, .folderSynced])
    func afterTheRenameTheOutcomeIsUnknownUntilTheNextCall(step: FileStep) async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let keeper = try await open(scratch)
        let version = try await keeper.load("a").committed?.version
        trouble.withLock { $0 = (step, SecretKeeperError(.unavailable, "injected")) }
        await expectCode(.unknownOutcome) { try await keeper.stage(SecretText("new"), as: "a", replacing: version) }
        let doubtful = try scratch.bytes()
        // What load answers is on the disk: the file was written again before.
        let kept = try await keeper.load("a")
        #expect(kept.texts == ["old", "new"])
        #expect(try scratch.bytes() != doubtful)
        let revision = keeper.revision
        #expect(try await keeper.stage(SecretText("new"), as: "a", replacing: version) == kept.staged?.version)
        #expect(keeper.revision == revision)
    }

    @Test func aLoadThatCannotSettleADoubtAnswersNothing() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let keeper = try await open(scratch)
        let version = try await keeper.load("a").committed?.version
        trouble.withLock { $0 = (.renamed, SecretKeeperError(.unavailable, "injected")) }
        await expectCode(.unknownOutcome) { try await keeper.stage(SecretText("new"), as: "a", replacing: version) }
        trouble.withLock { $0 = (.written, SecretKeeperError(.unavailable, "injected")) }
        await expectCode(.unavailable) { try await keeper.load("a") }
        #expect(try await keeper.load("a").texts == ["old", "new"])
    }

    @Test(arguments: FileStep.allCases)
    func aRekeyThatFailsCanBeMadeAgain(step: FileStep) async throws {
        let scratch = try Scratch()
        try await scratch.prepare(isStaged: true)
        let key = KeeperKey.random()
        let keeper = try await open(scratch)
        trouble.withLock { $0 = (step, SecretKeeperError(.unavailable, "injected")) }
        let isDone = step == .renamed || step == .folderSynced
        await expectCode(isDone ? .unknownOutcome : .unavailable) { try await keeper.rekey(to: key) }
        #expect(try await keeper.load("a").texts == ["old", "new"])
        try await keeper.rekey(to: key)
        await keeper.close()
        await expectCode(.wrongKey) { try await scratch.open() }
        #expect(try await scratch.open(keys: [key]).load("a").texts == ["old", "new"])
    }

    @Test func openingUnderANewKeyLeavesTheFormerOneBehind() async throws {
        let scratch = try Scratch()
        try await scratch.prepare()
        let key = KeeperKey.random()
        let keeper = try await FileSecretKeeper.open(
            at: scratch.path,
            id: "victim",
            key: key,
            formerKeys: [.random(), scratch.key]
        )
        #expect(try await keeper.load("a").texts == ["old", nil])
        await keeper.close()
        await expectCode(.wrongKey) { try await scratch.open() }
        #expect(try await scratch.open(keys: [key]).load("a").texts == ["old", nil])
    }
}
