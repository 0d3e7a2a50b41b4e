// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Makes users of a PostgreSQL server, moves their end, and ends them surely.
///
/// ```swift
/// let backend = try PostgresBackend(
///     client: client,
///     roles: ["app": PostgresRole(.memberOf("app_readers"), ttl: .seconds(3_600), maximum: .seconds(86_400))]
/// )
/// try await backend.preflight().requireReady()
/// let database = try await manager.mount(backend, at: "database")
/// let lease = try await database.issue("app")
/// ```
///
/// Each user is made in one transaction, with a comment that says whose it is and an end that the server keeps by itself. A
/// revocation makes the user unable to log in, ends its sessions, takes back what it was given in every database, and drops it.
/// Users without our comment are left alone.
public final class PostgresBackend: Sendable {
    /// How it reaches the server.
    public let client: any PostgresClient
    /// What can be chosen.
    public let options: Options
    let time: any LeaseTime
    let entropy: LeaseEntropy
    private let roles: Locked<[String: CompiledRole]>
    let known = Locked(Known())
    let passwords = PasswordShelf()
    /// One role is checked at a time.
    let checks = Turns()

    /// What was learnt of the server.
    struct Known: Sendable {
        var facts: ServerFacts?
        var clock: ServerClock?
        /// The roles whose users the admin can make and end.
        var checkedRoles: Set<String> = []
        /// The start of the manager whose forerunners' sessions were ended.
        var recovered: ManagerStart?
    }

    /// Makes a backend.
    ///
    /// - Parameters:
    ///   - client: Logs in as the admin.
    ///   - roles: What can be asked for, by name.
    ///   - options: What can be chosen.
    ///   - time: The clocks.
    ///   - entropy: Where jitter comes from; passwords come from the system's generator, always.
    /// - Throws: ``PostgresRoleError`` for the first role that cannot work.
    public init(
        client: any PostgresClient,
        roles: [String: PostgresRole],
        options: Options = Options(),
        time: any LeaseTime = SystemTime(),
        entropy: LeaseEntropy = .system
    ) throws(PostgresRoleError) {
        var compiled: [String: CompiledRole] = [:]
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) {
            compiled[name] = try CompiledRole(role, named: name)
        }
        self.client = client
        self.options = options
        self.time = time
        self.entropy = entropy
        self.roles = Locked(compiled)
    }

    /// Adds or changes a role; nil takes it away.
    ///
    /// Credentials that are there end as the role was when they were made.
    public func setRole(_ name: String, _ role: PostgresRole?) throws(PostgresRoleError) {
        var compiled: CompiledRole?
        if let role { compiled = try CompiledRole(role, named: name) }
        roles.withLock { [compiled] roles in roles[name] = compiled }
        known.withLock { _ = $0.checkedRoles.remove(name) }
        passwords.clear()
    }

    var allRoles: [CompiledRole] { roles.withLock { $0.values.sorted { $0.name < $1.name } } }

    func compiledRole(_ name: String) throws(LeaseError) -> CompiledRole {
        guard let role = roles.withLock({ $0[name] }) else {
            throw LeaseError(.unknownRole, "there is no role \"\(name)\" here; add it with setRole(_:_:)")
        }
        return role
    }

    /// The role at a path below the mount.
    func compiledRole(at path: String) throws(LeaseError) -> CompiledRole {
        guard path.hasPrefix(Self.folder) else {
            throw LeaseError(.unknownRole, "there is no role at \"\(path)\"; roles lie at \(Self.folder)NAME")
        }
        return try compiledRole(String(path.dropFirst(Self.folder.count)))
    }

    static let folder = "creds/"
}

extension PostgresBackend {
    /// What can be chosen of a backend.
    public struct Options: Hashable, Sendable {
        /// How long behind its lease's end the server itself ends a user, should nobody else.
        ///
        /// For clocks that run apart and for a revocation that is on its way.
        public var slack: Duration
        /// How long a statement that ends a user waits for a lock on it, or on an object.
        public var lockTimeout: Duration
        /// How many users are ended in one transaction at most.
        public var batchLimit: Int
        /// How many roles a page of the inventory has.
        public var pageSize: Int
        /// Whether each role is checked before its first issue, as ``PostgresBackend/preflight(timeout:)`` does.
        ///
        /// A credential whose end the admin would not be able to bring about is not made in the first place.
        public var checksRoles: Bool

        /// Makes options.
        public init(
            slack: Duration = .seconds(10),
            lockTimeout: Duration = .seconds(5),
            batchLimit: Int = 100,
            pageSize: Int = 1_000,
            checksRoles: Bool = true
        ) {
            self.slack = slack
            self.lockTimeout = lockTimeout
            self.batchLimit = max(1, batchLimit)
            self.pageSize = max(1, pageSize)
            self.checksRoles = checksRoles
        }
    }
}
