// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A keeper with one defect, to show that the suite sees it.
struct BrokenKeeper: SecretKeeper {
    enum Defect: String, CaseIterable {
        case invents, commitsAtOnce, commitsNothing, discardsAll, neverRemoves, startsOver, ignoresTheBase,
            overwritesStages
        case commitsAny, discardsCommitted, removesAny, countsRepeats, mixesNames, takesAnyName, takesAnySecret,
            cutsAtZero
        case letsAllWin, talks, forgetsAtTheEnd

        var rule: KeeperRule { KeeperRule.allCases[Self.allCases.firstIndex(of: self) ?? 0] }
    }

    let defect: Defect
    private let table = Locked<[String: KeptSecrets]>([:])
    private let lastVersion = Locked<UInt64>(0)

    init(_ defect: Defect) { self.defect = defect }

    private func check(_ name: String) throws(SecretKeeperError) {
        if defect != .takesAnyName { try SecretKeeperLimits.check(name: name) }
    }

    private func key(_ name: String) -> String { defect == .mixesNames ? name.lowercased() : name }

    private func kept(_ name: String) -> KeptSecrets { table.withLock { $0[key(name)] ?? KeptSecrets() } }

    private func put(_ kept: KeptSecrets?, _ name: String) { table.withLock { $0[key(name)] = kept } }

    func load(_ name: String) async throws(SecretKeeperError) -> KeptSecrets {
        try check(name)
        let kept = kept(name)
        if defect == .invents, kept.isEmpty { return KeptSecrets(staged: KeptSecret(SecretText("x"), version: 1)) }
        return kept
    }

    func stage(
        _ secret: SecretText,
        as name: String,
        replacing version: UInt64?
    ) async throws(SecretKeeperError) -> UInt64 {
        try check(name)
        if defect != .takesAnySecret { try SecretKeeperLimits.check(secret: secret) }
        let kept = kept(name)
        guard defect == .ignoresTheBase || kept.committed?.version == version else {
            throw SecretKeeperError(.versionChanged, "no")
        }
        if let staged = kept.staged, defect != .overwritesStages, defect != .letsAllWin {
            if staged.secret == secret, defect != .countsRepeats { return staged.version }
            let text = defect == .talks ? secret.withText { $0 } : ""
            throw SecretKeeperError(.alreadyStaged, "no \(text)")
        }
        var stored = secret
        if defect == .cutsAtZero {
            let bytes = secret.withBytes { Array($0.prefix { $0 != 0 }) }
            stored = SecretText(utf8: bytes)
        }
        let next =
            defect == .startsOver
            ? (kept.committed?.version ?? 0) + 1
            : lastVersion.withLock { last in
                last += 1
                return last
            }
        let staged = KeptSecret(stored, version: next)
        put(
            defect == .commitsAtOnce
                ? KeptSecrets(committed: staged) : KeptSecrets(committed: kept.committed, staged: staged),
            name
        )
        return next
    }

    func commit(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try check(name)
        let kept = kept(name)
        if kept.committed?.version == version || defect == .commitsNothing { return }
        guard let staged = kept.staged, defect == .commitsAny || staged.version == version else {
            throw SecretKeeperError(.versionChanged, "no")
        }
        put(KeptSecrets(committed: staged), name)
    }

    func discard(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try check(name)
        let kept = kept(name)
        guard kept.staged?.version == version else {
            if defect != .discardsCommitted,
                kept.committed?.version == version || version > lastVersion.withLock({ $0 })
            {
                throw SecretKeeperError(.versionChanged, "no")
            }
            return
        }
        put(defect == .discardsAll ? nil : KeptSecrets(committed: kept.committed), name)
    }

    func remove(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try check(name)
        let kept = kept(name)
        if kept.isEmpty || defect == .neverRemoves { return }
        if defect != .removesAny, kept.committed?.version != version { throw SecretKeeperError(.versionChanged, "no") }
        if defect != .removesAny, kept.staged != nil { throw SecretKeeperError(.alreadyStaged, "no") }
        put(nil, name)
    }
}
