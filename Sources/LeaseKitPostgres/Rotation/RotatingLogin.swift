// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// The admin's own login, whose password LeaseKit can change so that nobody else knows it.
///
/// Give ``login`` to the configuration of the client, and call ``recover(_:)`` before anything else is asked of that client;
/// ``rotate(_:)`` then whenever the password is to change, the first time so that whoever set it up does not know it any more.
///
/// The new password is in the keeper before the server hears of it, and the old one is forgotten after the new one has opened
/// the server. Killed in between, the next ``recover(_:)`` goes on where it was. Meanwhile connections try both.
public final class RotatingLogin: Sendable {
    /// Whose password it is.
    public let user: String
    private let keeper: any SecretKeeper
    private let name: String
    private let policy: PasswordPolicy
    private let iterations: Int
    private let timeout: Duration
    private let current: Locked<PostgresConfiguration.Login>
    private let turns = Turns()

    /// Makes a login; nothing is read yet.
    ///
    /// - Parameters:
    ///   - user: The role that logs in. It must be allowed to change its own password, as every role is.
    ///   - password: The one that it has before the first rotation; not looked at after that.
    ///   - keeper: Where the rotated ones are kept.
    ///   - name: What they are kept under.
    ///   - policy: What new ones look like.
    ///   - iterations: Those of the verifiers.
    ///   - timeout: How long one step at the server may take.
    public init(
        user: String,
        password: SecretText?,
        keeper: any SecretKeeper,
        name: String = "postgres/admin",
        policy: PasswordPolicy = PasswordPolicy(length: 32),
        iterations: Int = SCRAMVerifier.defaultIterations,
        timeout: Duration = .seconds(30)
    ) {
        self.user = user
        self.keeper = keeper
        self.name = name
        self.policy = policy
        self.iterations = iterations
        self.timeout = timeout
        current = Locked(PostgresConfiguration.Login(user: user, password: password))
    }

    /// The login as it is now, for ``PostgresConfiguration/login``.
    public var login: @Sendable () -> PostgresConfiguration.Login {
        { [current] in current.withLock { $0 } }
    }

    /// Takes up the kept password, and finishes a rotation that was cut off.
    ///
    /// - Parameter configuration: How to reach the server.
    public func recover(_ configuration: PostgresConfiguration) async throws {
        try await turns.take {
            let kept = try await self.keeper.load(self.name)
            if let committed = kept.committed { self.use(committed.secret) }
            if let staged = kept.staged { try await self.finish(staged, configuration) }
        }
    }

    /// Changes the password.
    ///
    /// When this throws, the old one or the new one is right; connections try both, and the next call finishes it.
    ///
    /// - Parameter configuration: How to reach the server.
    public func rotate(_ configuration: PostgresConfiguration) async throws {
        try await turns.take {
            let kept = try await self.keeper.load(self.name)
            if let committed = kept.committed { self.use(committed.secret) }
            if let staged = kept.staged { return try await self.finish(staged, configuration) }
            try self.policy.requireUsable(with: self.iterations)
            let password = self.policy.makePassword()
            let version = try await self.keeper.stage(
                password,
                as: self.name,
                replacing: kept.committed?.version
            )
            try await self.finish(KeptSecret(password, version: version), configuration)
        }
    }

    private func use(_ password: SecretText, alternative: SecretText? = nil) {
        current.withLock {
            $0 = PostgresConfiguration.Login(user: user, password: password, alternative: alternative)
        }
    }

    /// Makes a staged password the right one.
    ///
    /// It is set again whatever came of an earlier try: a request of that one that arrives late sets the same.
    private func finish(_ staged: KeptSecret, _ configuration: PostgresConfiguration) async throws {
        let old = current.withLock { $0.password }
        current.withLock { $0.alternative = staged.secret }
        let change = PasswordChange(user: user, password: staged.secret, iterations: iterations, timeout: timeout)
        var own = configuration
        own.login = login
        own.maxConnections = 1
        let client = LibPQClient(own)
        do {
            try await change.perform(over: client, configuration, restoring: old)
        } catch let undone as PasswordChange.Undone {
            await client.close()
            // The server has the old one again, and nothing is on its way.
            current.withLock { $0.alternative = nil }
            try await keeper.discard(name, version: staged.version)
            throw undone.cause
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        try await keeper.commit(name, version: staged.version)
        use(staged.secret)
    }
}
