// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

// sample: first-lease
import LeaseKit
// end sample
import Testing

// sample: first-lease
/// Stands for the system that the secrets open: a database, a cloud account.
actor Door {
    private var codes: [String: SecretText] = [:]
    func add(_ name: String, _ code: SecretText) { codes[name] = code }
    func remove(_ name: String) -> Bool { codes.removeValue(forKey: name) != nil }
}

struct DoorBackend: SecretBackend {
    let kind = "door/1"
    let door = Door()

    func issue(_ guest: String, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<SecretText> {
        let code = SecretText(String(UInt64.random(in: .min ... .max), radix: 36))
        await door.add(handle.text, code)
        return Issued(code)
    }

    func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        await door.remove(handle.text) ? .revoked : .alreadyGone
    }
}
// end sample

@Suite struct FirstLeaseSample {
    @Test(.timeLimit(.minutes(1))) func runs() async throws { try await firstLease() }
}

private func firstLease() async throws {
    // sample: first-lease
    let manager = LeaseManager(store: InMemoryLeaseStore())
    // The door goes with this process, so that a crash leaves no code behind.
    let door = try await manager.mount(DoorBackend(), at: "door", MountSettings(acceptsLeaksOnCrash: true))

    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await manager.run() }
        let lease = try await door.issue("anna", IssueOptions(ttl: .seconds(60)))
        print(lease)  // lease door/2k9x… until 2026-03-01T12:01:00Z, secret <redacted>
        print(try await door.revoke(lease.id))  // order 5d21…: 1 revoked
        manager.beginShutdown()
        try await group.waitForAll()
    }
    // end sample
}
