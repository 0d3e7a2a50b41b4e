// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// LeaseKit's own key at AWS, which it can exchange for a new one.
///
/// A source of credentials: give it to ``AWSAccess``. The first key comes from you; from the first rotation on the keeper's
/// counts, and the first one is gone.
///
/// A rotation makes a new key, keeps it beside the old one, tries it, commits it, and only then deletes the old one. At
/// whatever point the process dies, the key in the keeper works, and the next rotation clears up. It deletes keys by the ids that it
/// knows; a key that somebody else has made for the same user stops it before anything is done.
public final class RootKey: AWSCredentialsProvider {
    private let initial: AWSCredentials
    private let keeper: any SecretKeeper
    private let name: String
    private let settings: AWSSourceSettings
    private let iam: AWSClient
    private let sts: AWSClient
    private let gate = Gate()
    private let current = Locked<AWSCredentials?>(nil)

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - initial: The key to begin with, a user's.
    ///   - keeper: Where new ones are kept.
    ///   - name: What they are kept under.
    ///   - settings: How AWS is reached.
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for an address that is none.
    public init(
        _ initial: AWSCredentials,
        keeper: any SecretKeeper,
        name: String = "aws/root",
        _ settings: AWSSourceSettings = AWSSourceSettings()
    ) throws(AWSError) {
        self.initial = initial
        self.keeper = keeper
        self.name = name
        self.settings = settings
        let region = settings.region ?? .fromEnvironment(settings.environment)
        let tools = settings.tools
        iam = AWSClient(.iam, at: try settings.endpoints.iam(in: region), as: nil, tools)
        sts = AWSClient(.sts, at: try settings.endpoints.sts(in: region), as: nil, tools)
    }

    /// The key that counts now.
    public func credentials() async throws(AWSError) -> AWSCredentials {
        if let known = current.withLock({ $0 }) { return known }
        // Asked first, a rotation that comes in between is not overwritten by what was loaded before it.
        let kept = try await load()
        let found = try kept.committed.map { secret throws(AWSError) in
            try RootKeyRecord(secret.secret, name).credentials
        }
        return current.withLock { current in
            let credentials = current ?? found ?? initial
            current = credentials
            return credentials
        }
    }

    /// Exchanges the key for a new one, and first clears up after a rotation that was cut off.
    ///
    /// - Parameter timeout: How long it may take; a new key needs some seconds until all of AWS knows it.
    public func rotate(timeout: Duration = .seconds(120)) async throws(AWSError) {
        await gate.enter()
        defer { gate.leave() }
        let deadline = settings.time.read().continuous + timeout
        let old = try await recover(deadline)
        // From here on a key that nobody knows is ours.
        let intent = RootKeyRecord(old, isRotating: true)
        try await keep(intent)
        let new = try await makeKey(old, deadline)
        let version = try await stage(RootKeyRecord(new, previous: old.accessKeyID))
        try await prove(new, deadline)
        try await commit(version)
        current.withLock { $0 = new }
        try await delete(old.accessKeyID, as: new, deadline)
        try await keep(RootKeyRecord(new))
    }

    /// Brings keeper and account to where one key is left, and answers with it.
    private func recover(_ deadline: Duration) async throws(AWSError) -> AWSCredentials {
        var kept = try await load()
        if let staged = kept.staged {
            let record = try RootKeyRecord(staged.secret, name)
            // A staged intent is of the key that is committed.
            if record.isRotating || record.credentials.accessKeyID == initial.accessKeyID {
                try await commit(staged.version)
            } else if try await isThere(record.credentials, kept, deadline) {
                try await prove(record.credentials, deadline)
                try await commit(staged.version)
            } else {
                do { try await keeper.discard(name, version: staged.version) } catch { throw Self.failure(error) }
            }
            kept = try await load()
        }
        let record: RootKeyRecord
        if let committed = kept.committed {
            record = try RootKeyRecord(committed.secret, name)
        } else {
            record = RootKeyRecord(initial)
        }
        let own = record.credentials
        guard own.sessionToken == nil else {
            throw AWSError(.outOfBounds, "temporary credentials cannot be rotated: give RootKey a user's key")
        }
        current.withLock { $0 = own }
        for id in try await keys(own, deadline) where id != own.accessKeyID {
            guard record.isRotating || id == record.previous else {
                throw AWSError(
                    .limitExceeded,
                    "the user has a key \(id) that LeaseKit did not make, and AWS allows two: delete it, or leave the rotation to its owner"
                )
            }
            try await delete(id, as: own, deadline)
        }
        return own
    }

    /// Whether a staged key is one of the user's still; one that somebody has deleted would never work.
    private func isThere(
        _ staged: AWSCredentials,
        _ kept: KeptSecrets,
        _ deadline: Duration
    ) async throws(AWSError) -> Bool {
        let own = try kept.committed.map { secret throws(AWSError) in
            try RootKeyRecord(secret.secret, name).credentials
        }
        do throws(AWSError) {
            return try await keys(own ?? initial, deadline).contains(staged.accessKeyID)
        } catch  where error.code.isAboutLogin {
            // Then it is the only one that can work.
            return true
        }
    }

    private func keys(_ own: AWSCredentials, _ deadline: Duration) async throws(AWSError) -> [String] {
        let reply = try await iam.call("ListAccessKeys", until: deadline, signing: .with(own))
        return reply.result.list("AccessKeyMetadata").compactMap { $0.text("AccessKeyId") }
    }

    private func delete(_ id: String, as own: AWSCredentials, _ deadline: Duration) async throws(AWSError) {
        do throws(AWSError) {
            _ = try await iam.call("DeleteAccessKey", [("AccessKeyId", id)], until: deadline, signing: .with(own))
        } catch  where error.code == .noSuchEntity {
            return
        }
    }

    private func makeKey(_ old: AWSCredentials, _ deadline: Duration) async throws(AWSError) -> AWSCredentials {
        let reply = try await iam.call("CreateAccessKey", until: deadline, isRepeatable: false, signing: .with(old))
        guard let key = reply.result["AccessKey"], let id = key.text("AccessKeyId"),
            let secret = key.text("SecretAccessKey")
        else { throw AWSError(.unreadableAnswer, "the answer has no key in it", action: "iam:CreateAccessKey") }
        return AWSCredentials(accessKeyID: id, secretAccessKey: SecretText(secret))
    }

    /// Waits until a new key works: three times in a row, since AWS does not know it everywhere at once.
    private func prove(_ new: AWSCredentials, _ deadline: Duration) async throws(AWSError) {
        var successes = 0
        while successes < 3 {
            do throws(AWSError) {
                _ = try await sts.call("GetCallerIdentity", until: deadline, signing: .with(new))
                successes += 1
            } catch  where error.code.isAboutLogin {
                successes = 0
                let until = settings.time.read().continuous + .seconds(2)
                guard until < deadline else { throw error }
                do { try await settings.time.sleep(until: until) } catch {
                    throw AWSError(.outOfTime, "the rotation was cancelled while a new key was tried")
                }
            }
        }
    }

    // MARK: The keeper

    /// Stages and commits: for what is true already.
    private func keep(_ record: RootKeyRecord) async throws(AWSError) { try await commit(try await stage(record)) }

    private func load() async throws(AWSError) -> KeptSecrets {
        do { return try await keeper.load(name) } catch { throw Self.failure(error) }
    }

    private func stage(_ record: RootKeyRecord) async throws(AWSError) -> UInt64 {
        let committed = try await load().committed?.version
        do { return try await keeper.stage(record.secret, as: name, replacing: committed) } catch {
            throw Self.failure(error)
        }
    }

    private func commit(_ version: UInt64) async throws(AWSError) {
        do { try await keeper.commit(name, version: version) } catch { throw Self.failure(error) }
    }

    private static func failure(_ error: SecretKeeperError) -> AWSError {
        AWSError(.badCredentials, "the keeper of the own key failed: \(error.description)")
    }
}

extension RootKey: RotatedCredentials {
    func isReplaced(_ refused: AWSCredentials) async -> Bool {
        if let known = current.withLock({ $0 }), known != refused { return true }
        // Another process with the same keeper may have rotated it.
        guard let committed = try? await load().committed, let record = try? RootKeyRecord(committed.secret, name),
            record.credentials != refused
        else { return false }
        current.withLock { if $0 == refused { $0 = record.credentials } }
        return true
    }
}
