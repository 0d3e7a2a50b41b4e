// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Keeps users that stay, and changes their passwords on their schedules.
///
/// ``recover()`` reads what is kept, and ``run()`` changes what is due until its task is cancelled. A password can be read at any
/// time, also while the server is out of reach. A new one is in the keeper before the server hears of it; a change that was cut
/// off is finished by the next try.
public final class StaticUsers: Sendable {
    struct Entry: Sendable {
        var user: StaticUser
        var current: DatedPassword?
        var alternative: SecretText?
        var version: UInt64?
        var failures = 0
        /// After a failure: not before this.
        var notBefore: LeaseInstant?
    }

    private let client: any PostgresClient
    private let configuration: PostgresConfiguration
    private let keeper: any SecretKeeper
    private let prefix: String
    private let timeout: Duration
    let time: any LeaseTime
    let entries: Locked<[String: Entry]>
    private let turns: [String: Turns]

    /// Makes a keeper of users; nothing is read yet.
    ///
    /// - Parameters:
    ///   - users: By the names that they are read under.
    ///   - client: Logs in as an admin that may change their passwords.
    ///   - configuration: How the users themselves reach the server, to try new passwords; its login is not used.
    ///   - keeper: Where the passwords are kept.
    ///   - prefix: What their names begin with there.
    ///   - timeout: How long one change may take.
    ///   - time: The clocks.
    public init(
        _ users: [String: StaticUser],
        client: any PostgresClient,
        configuration: PostgresConfiguration,
        keeper: any SecretKeeper,
        prefix: String = "postgres/static/",
        timeout: Duration = .seconds(30),
        time: any LeaseTime = SystemTime()
    ) {
        self.client = client
        self.configuration = configuration
        self.keeper = keeper
        self.prefix = prefix
        self.timeout = timeout
        self.time = time
        entries = Locked(users.mapValues { Entry(user: $0) })
        turns = users.mapValues { _ in Turns() }
    }

    /// The password of a user as it is now; nil before its first change, which is due at once.
    ///
    /// - Throws: `LeaseError` for a name that is not among them.
    public func read(_ name: String) throws -> StaticCredential? {
        let entry = try entry(name)
        guard let current = entry.current else { return nil }
        let next = entry.user.schedule.next(after: current.madeAt)
        return StaticCredential(
            credential: PostgresCredential(username: entry.user.role, password: current.password),
            alternative: entry.alternative,
            changedAt: current.madeAt,
            nextChange: next,
            timeLeft: max(.zero, time.read().wall.duration(to: next))
        )
    }

    private func entry(_ name: String) throws -> Entry {
        guard let entry = entries.withLock({ $0[name] }) else {
            throw LeaseError(.unknownRole, "there is no static user \"\(name)\" here")
        }
        return entry
    }

    /// Reads what is kept of all users.
    public func recover() async throws {
        for name in names { try await takeUp(name) }
    }

    var names: [String] { entries.withLock { $0.keys.sorted() } }

    /// Reads what is kept of one of them.
    func takeUp(_ name: String) async throws {
        try await turns[name]?.take { _ = try await self.load(name) }
    }

    private func load(_ name: String) async throws -> KeptSecrets {
        let kept = try await keeper.load(prefix + name)
        let current = try kept.committed.map { try Self.read($0.secret, name) }
        let staged = try kept.staged.map { try Self.read($0.secret, name) }
        entries.withLock { entries in
            entries[name]?.current = current
            entries[name]?.alternative = staged?.password
            entries[name]?.version = kept.committed?.version
        }
        return kept
    }

    private static func read(_ secret: SecretText, _ name: String) throws -> DatedPassword {
        guard let password = DatedPassword(reading: secret) else {
            throw PostgresError(
                .denied,
                scope: .lease,
                code: "unreadableSecret",
                "what is kept of the static user \(name) was not written by this version"
            )
        }
        return password
    }

    /// Changes a password now.
    ///
    /// A password that the server refuses is replaced by a fresh one, once.
    public func rotate(_ name: String) async throws {
        _ = try entry(name)
        try await turns[name]?.take { try await self.changeOrRefresh(name) }
    }

    /// Changes a password unless that turns out to have been done: by somebody else, or before the keeper could be read.
    func rotateIfDue(_ name: String) async throws {
        try await turns[name]?.take {
            _ = try await self.load(name)
            if self.isDue(name) { try await self.changeOrRefresh(name) }
        }
    }

    private func changeOrRefresh(_ name: String) async throws {
        do { try await change(name) } catch is PasswordChange.Undone {
            do { try await change(name) } catch let undone as PasswordChange.Undone { throw undone.cause }
        }
    }

    private func change(_ name: String) async throws {
        let kept = try await load(name)
        let user = try entry(name).user
        try user.policy.requireUsable(with: user.iterations)
        let staged: KeptSecret
        if let left = kept.staged {
            staged = left
        } else {
            let dated = DatedPassword(madeAt: time.read().wall, password: user.policy.makePassword())
            let version = try await keeper.stage(
                dated.secret,
                as: prefix + name,
                replacing: kept.committed?.version
            )
            staged = KeptSecret(dated.secret, version: version)
        }
        let next = try Self.read(staged.secret, name)
        entries.withLock { $0[name]?.alternative = next.password }
        let change = PasswordChange(
            user: user.role,
            password: next.password,
            iterations: user.iterations,
            timeout: timeout
        )
        do {
            try await change.perform(
                over: client,
                configuration,
                restoring: try kept.committed.map { try Self.read($0.secret, name).password }
            )
        } catch let undone as PasswordChange.Undone {
            try await keeper.discard(prefix + name, version: staged.version)
            entries.withLock { $0[name]?.alternative = nil }
            throw undone
        }
        try await keeper.commit(prefix + name, version: staged.version)
        entries.withLock { entries in
            entries[name]?.current = next
            entries[name]?.alternative = nil
            entries[name]?.version = staged.version
            entries[name]?.failures = 0
            entries[name]?.notBefore = nil
        }
    }
}
