// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Where the server is, who logs in there, and how many connections there may be.
public struct PostgresConfiguration: Sendable {
    /// The servers, tried in this order; several of them are one group whose members take over from one another.
    public var hosts: [Host]
    /// The database that sessions are for when they name none.
    public var database: String
    /// How the connection is secured; of no account on a Unix socket.
    public var tls: TLS
    /// Who logs in, asked at each connect, so that a rotated password is used from then on.
    ///
    /// It is called on the thread of the connections and must not wait.
    public var login: @Sendable () -> Login
    /// What the server shows as `application_name`: at most 63 bytes of printable ASCII.
    public var applicationName: String
    /// What kind of server of the group will do.
    public var target: Target
    /// How many connections there may be, those to other databases of the server included.
    public var maxConnections: Int
    /// How many sessions may wait for a connection; further ones fail at once.
    public var maxWaiting: Int
    /// How long one server may take to connect and log in before the next is tried.
    public var connectTimeout: Duration
    /// How long a connection may lie idle before it is closed.
    public var idleTimeout: Duration
    /// Settings that each connection begins with, such as `lock_timeout`.
    public var settings: [String: String]
    /// Whether the server keeps what it made of statements that are sent again and again.
    ///
    /// It saves the server most of the work of a look into its catalog. Behind a pooler that gives each transaction another
    /// connection say no, unless the pooler knows of prepared statements.
    public var preparesStatements: Bool

    /// Makes a configuration.
    public init(
        hosts: [Host],
        database: String = "postgres",
        tls: TLS,
        applicationName: String = "leasekit",
        target: Target = .readWrite,
        maxConnections: Int = 4,
        maxWaiting: Int = 1_024,
        connectTimeout: Duration = .seconds(5),
        idleTimeout: Duration = .seconds(60),
        settings: [String: String] = [:],
        preparesStatements: Bool = true,
        login: @escaping @Sendable () -> Login
    ) {
        self.hosts = hosts
        self.database = database
        self.tls = tls
        self.applicationName = applicationName
        self.target = target
        self.maxConnections = maxConnections
        self.maxWaiting = maxWaiting
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.settings = settings
        self.preparesStatements = preparesStatements
        self.login = login
    }

    /// Who logs in.
    public struct Login: Sendable, Equatable {
        /// The role's name.
        public var user: String
        /// Its password; nil where the server asks for none, or where it is in libpq's password file.
        public var password: SecretText?
        /// The password to try when the server refuses the first: while it is being changed, either may be the right one.
        public var alternative: SecretText?

        /// Makes a login.
        public init(user: String, password: SecretText?, alternative: SecretText? = nil) {
            self.user = user
            self.password = password
            self.alternative = alternative
        }
    }

    /// What kind of server will do.
    public struct Target: Hashable, Sendable {
        let name: String

        /// Any that answers.
        public static let any = Target(name: "any")
        /// One that accepts writes: a standby is passed over.
        public static let readWrite = Target(name: "read-write")
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomReflectable {
    /// The hosts and the database.
    public var description: String {
        "\(database) at \(hosts.map(\.description).joined(separator: ", "))"
    }
    /// The hosts and the database.
    public var customMirror: Mirror { Mirror(self, children: ["hosts": hosts, "database": database]) }
}
