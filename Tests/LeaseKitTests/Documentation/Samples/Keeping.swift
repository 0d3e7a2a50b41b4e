// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper
import LeaseKitTesting
import Testing

/// Samples about keeping the few secrets that LeaseKit must remember.
@Suite struct KeepingSamples {
    @Test func rotation() async throws {
        func changePassword(from old: SecretText?, to new: SecretText) async throws { #expect(old == nil) }
        func logIn(with password: SecretText) async throws {}
        let keeper = InMemorySecretKeeper()
        let new = SecretText("new")
        // sample: keeper-rotation
        let kept = try await keeper.load("db/root")
        let version = try await keeper.stage(new, as: "db/root", replacing: kept.committed?.version)
        try await changePassword(from: kept.committed?.secret, to: new)
        try await logIn(with: new)
        try await keeper.commit("db/root", version: version)
        // end sample
        #expect(try await keeper.load("db/root").committed?.secret == new)
    }

    @Test func faults() async throws {
        // sample: keeper-faults
        let keeper = InMemorySecretKeeper { call in
            call.kind == .commit && call.index == 2 ? .unknown : nil
        }
        // end sample
        #expect(try await keeper.load("db/root").committed == nil)
    }

    @Test func aKeyFileThatIsNotThereIsRefused() async {
        await #expect(throws: SecretKeeperError.self) {
            // sample: keeper-file
            let key = try KeeperKey(contentsOfFile: "/etc/billing/keeper.key")
            let keeper = try await FileSecretKeeper.open(at: "/var/lib/billing/keeper", id: "billing", key: key)
            // end sample
            await keeper.close()
        }
    }

    @Test func aFolderThatIsNotThereIsRefused() async throws {
        let (path, new, old) = ("/nowhere/at/all/keeper", KeeperKey.random(), KeeperKey.random())
        await #expect(throws: SecretKeeperError.self) {
            // sample: keeper-new-key
            let keeper = try await FileSecretKeeper.open(at: path, id: "billing", key: new, formerKeys: [old])
            // end sample
            await keeper.close()
        }
    }
}

/// A keeper of somebody else's.
private actor MyKeeper: SecretKeeper {
    private let inner = InMemorySecretKeeper()

    static func empty() async throws -> MyKeeper { MyKeeper() }
    func openedAgain() async throws -> (any SecretKeeper)? { self }

    func load(_ name: String) async throws(SecretKeeperError) -> KeptSecrets { try await inner.load(name) }
    func stage(
        _ secret: SecretText,
        as name: String,
        replacing version: UInt64?
    ) async throws(SecretKeeperError) -> UInt64 {
        try await inner.stage(secret, as: name, replacing: version)
    }
    func commit(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try await inner.commit(name, version: version)
    }
    func discard(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try await inner.discard(name, version: version)
    }
    func remove(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try await inner.remove(name, version: version)
    }
}

@Suite struct KeeperConformanceSample {
    // sample: keeper-conformance
    @Test func conforms() async throws {
        var suite = SecretKeeperConformance { try await MyKeeper.empty() }
        suite.reopen = { keeper in try await (keeper as? MyKeeper)?.openedAgain() }
        try await suite.run()
    }
    // end sample
}

@Suite struct SimulationSample {
    @Test func runs() {
        // sample: simulation-comment
        let report = Simulation(seed: 42, operations: 100).run()
        print(report.violations)
        // end sample
        #expect(report.seed == 42)
    }
}
