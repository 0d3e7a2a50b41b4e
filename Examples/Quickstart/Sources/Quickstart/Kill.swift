// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// This program starts itself once more, and that process kills itself right after it has made a credential, before it could
/// write down that it has.
///
/// Then a new manager opens the file.
func surviveAKill(in folder: Folder) throws {
    let target = FileTarget(folder: folder)
    let child = try folder.runAgain(Victim.argument)
    say("process \(child.id) \(child.wasKilled ? "was killed" : "ended by itself, which is a flaw")")
    for name in target.names { say("at the target: a credential …\(name.suffix(10)), and nobody has it") }

    try onOwnThread {
        let store = SQLiteLeaseStore(path: folder.file("killed.sqlite"))
        let configuration = LeaseManager.Configuration(observers: [EventPrinter()])
        try await withLeaseManager(store: store, configuration: configuration) { manager in
            let mount = try await manager.mount(target, at: "files", Victim.settings)
            // It was written down before the credential was made, with what is needed to end it.
            for lease in try await manager.page(LeaseQuery(prefix: "files"), limit: 10).records {
                say("in the file: a lease that is \(lease.state), whose handle names the credential")
            }
            // Real time: the issue that was under way had a deadline, and only then nothing can come of it any more.
            while try await manager.counts().total > 0 { try await Task.sleep(for: .milliseconds(20)) }
            say("at the target: \(target.names.isEmpty ? "nothing any more" : "\(target.names)")")
            let lease = try await mount.issue("anna")
            say("and on it goes: \(lease)")
            try await mount.revoke(lease.id)
        }
    }
}

/// The process that is killed.
enum Victim {
    static let argument = "--victim"

    /// Where it is to work, if this process is the one.
    static var folder: Folder? {
        let arguments = CommandLine.arguments
        return arguments.count == 3 && arguments[1] == argument ? Folder(existing: arguments[2]) : nil
    }

    static let settings = MountSettings(issueTimeout: .milliseconds(500))

    static func live(in folder: Folder) throws -> Never {
        try onOwnThread {
            let store = SQLiteLeaseStore(path: folder.file("killed.sqlite"))
            try await withLeaseManager(store: store) { manager in
                let target = FileTarget(folder: folder, isDeadly: true)
                let mount = try await manager.mount(target, at: "files", settings)
                _ = try await mount.issue("anna")
            }
        }
        exit(0)
    }
}

/// Stands for a system elsewhere, which outlives this process: each credential is a file.
struct FileTarget: SecretBackend {
    let folder: Folder
    /// Whether the process ends once a credential is made, as no process can help: SIGKILL is not to be caught.
    var isDeadly = false

    let kind = "files/1"
    var abilities: BackendAbilities { BackendAbilities(settleTime: .zero) }

    func issue(_ guest: String, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<SecretText> {
        folder.make("credential-\(handle.text)")
        if isDeadly { kill(getpid(), SIGKILL) }
        return Issued(SecretText(String(UInt64.random(in: .min ... .max), radix: 36)))
    }

    func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        folder.remove("credential-\(handle.text)") ? .revoked : .alreadyGone
    }

    /// What is there.
    var names: [String] {
        folder.names.filter { $0.hasPrefix("credential-") }.map { String($0.dropFirst("credential-".count)) }
    }
}
