// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a keeper holds and how it changes, as a value: the keepers of this package differ in where they put it.
package struct KeeperTable: Equatable, Sendable {
    /// By name; no pair is empty.
    package private(set) var entries: [String: KeptSecrets]
    /// The newest version ever given, of all names: so none is given twice, not even after a removal.
    package private(set) var lastVersion: UInt64

    /// Makes a table.
    package init(_ entries: [String: KeptSecrets] = [:], lastVersion: UInt64 = 0) {
        self.entries = entries
        self.lastVersion = lastVersion
    }

    /// What is kept under a name.
    package func load(_ name: String) throws(SecretKeeperError) -> KeptSecrets {
        try SecretKeeperLimits.check(name: name)
        return entries[name] ?? KeptSecrets()
    }

    /// Stages a secret and answers with its version.
    package mutating func stage(
        _ secret: SecretText,
        as name: String,
        replacing version: UInt64?
    ) throws(SecretKeeperError) -> UInt64 {
        let kept = try load(name)
        try SecretKeeperLimits.check(secret: secret)
        guard kept.committed?.version == version else {
            throw Self.changed(name, "committed", expected: version, found: kept.committed?.version)
        }
        if let staged = kept.staged {
            if staged.secret == secret { return staged.version }
            throw Self.staged(name, staged.version)
        }
        lastVersion += 1
        entries[name] = KeptSecrets(committed: kept.committed, staged: KeptSecret(secret, version: lastVersion))
        return lastVersion
    }

    /// Commits a stage.
    package mutating func commit(_ name: String, version: UInt64) throws(SecretKeeperError) {
        let kept = try load(name)
        if kept.committed?.version == version { return }
        guard let staged = kept.staged, staged.version == version else {
            throw Self.changed(name, "staged", expected: version, found: kept.staged?.version)
        }
        entries[name] = KeptSecrets(committed: staged)
    }

    /// Discards a stage.
    package mutating func discard(_ name: String, version: UInt64) throws(SecretKeeperError) {
        let kept = try load(name)
        guard let staged = kept.staged, staged.version == version else {
            // Whether it was discarded or overtaken by a later one: it is not kept, and that is what was asked for.
            let isGone = version <= lastVersion && version < kept.staged?.version ?? .max
            if isGone, kept.committed?.version != version { return }
            throw Self.changed(name, "staged", expected: version, found: kept.staged?.version)
        }
        entries[name] = kept.committed.map { KeptSecrets(committed: $0) }
    }

    /// Removes a name.
    package mutating func remove(_ name: String, version: UInt64) throws(SecretKeeperError) {
        let kept = try load(name)
        if kept.isEmpty { return }
        guard kept.committed?.version == version else {
            throw Self.changed(name, "committed", expected: version, found: kept.committed?.version)
        }
        if let staged = kept.staged { throw Self.staged(name, staged.version) }
        entries[name] = nil
    }

    private static func changed(_ name: String, _ what: String, expected: UInt64?, found: UInt64?) -> SecretKeeperError
    {
        let word = { (version: UInt64?) in version.map { "version \($0)" } ?? "nothing" }
        return SecretKeeperError(
            .versionChanged,
            "Of “\(name)”, \(word(found)) is \(what), not \(word(expected)): load it and decide again."
        )
    }

    private static func staged(_ name: String, _ version: UInt64) -> SecretKeeperError {
        SecretKeeperError(
            .alreadyStaged,
            "Of “\(name)”, version \(version) is staged: find out which secret the target has, then commit or discard it."
        )
    }
}
