// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where the few secrets live that LeaseKit itself must remember: a rotated admin password, a root key, a static role's.
///
/// Leased secrets are never kept; they are not for here either.
///
/// A secret that LeaseKit changes at a target lives in two places that cannot change at the same moment. So a new one is
/// *staged* beside the *committed* one before the target hears of it, and committed once the target has shown that it is
/// right:
///
/// ```swift
/// let kept = try await keeper.load("db/root")
/// let version = try await keeper.stage(new, as: "db/root", replacing: kept.committed?.version)
/// try await changePassword(from: kept.committed?.secret, to: new)
/// try await logIn(with: new)
/// try await keeper.commit("db/root", version: version)
/// ```
///
/// Whatever happens in between, ``load(_:)`` answers with both, and the target decides which is right: if the staged one
/// opens it, commit; if the committed one does and no change can be under way any more, discard.
///
/// ## What a keeper promises
///
/// - **Versions.** Each staged secret gets a version, greater than every earlier one of its name, also of those that were
///   discarded or removed. A version names one secret for ever.
/// - **Compare and set.** Every call that changes something names the version that it is about, and changes nothing when
///   another one is there: ``SecretKeeperError/Code-swift.struct/versionChanged``,
///   ``SecretKeeperError/Code-swift.struct/alreadyStaged``. Of two rotations at once, one wins.
/// - **Durable when it returns.** What ``stage(_:as:replacing:)`` returned survives a crash, or the new secret could be at
///   the target and nowhere else. So does what ``load(_:)`` answered.
/// - **All or nothing.** After a crash, each name is as it was before a call or as it is after.
/// - **Repeatable.** A call whose answer was lost (``SecretKeeperError/Code-swift.struct/unknownOutcome``) may be made
///   again: it succeeds whether or not it was done the first time. After every other error nothing was done.
/// - **Names** are checked with ``SecretKeeperLimits``.
///
/// Hold yours against `SecretKeeperConformance` of the testing library.
public protocol SecretKeeper: Sendable {
    /// What is kept under a name.
    ///
    /// Nothing was ever kept there: both are nil.
    func load(_ name: String) async throws(SecretKeeperError) -> KeptSecrets

    /// Keeps a new secret beside the committed one.
    ///
    /// The same secret staged again over the same version answers with the version that it has.
    ///
    /// - Parameters:
    ///   - secret: The new secret.
    ///   - name: What it is kept under.
    ///   - version: The version of the committed secret that it is to replace; nil when there is none.
    /// - Returns: The version of the staged secret.
    func stage(
        _ secret: SecretText,
        as name: String,
        replacing version: UInt64?
    ) async throws(SecretKeeperError) -> UInt64

    /// Makes the staged secret the committed one, and forgets the one before.
    ///
    /// Succeeds when this version is committed already.
    func commit(_ name: String, version: UInt64) async throws(SecretKeeperError)

    /// Forgets the staged secret.
    ///
    /// Succeeds when this version is not kept any more; a committed one is refused. Discard only what cannot be at the
    /// target, now or when a late request arrives there.
    func discard(_ name: String, version: UInt64) async throws(SecretKeeperError)

    /// Forgets a name whose secret is not needed any more.
    ///
    /// Succeeds when nothing is kept under it; a staged secret has to be committed or discarded first.
    ///
    /// - Parameters:
    ///   - name: What the secret is kept under.
    ///   - version: The version of the committed secret.
    func remove(_ name: String, version: UInt64) async throws(SecretKeeperError)
}
