// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import LeaseKitTesting
import Testing

/// Samples about PostgreSQL, without a server: those that would reach one say that there is none.
@Suite struct PostgresSamples {
    private let keeper = InMemorySecretKeeper()

    private static let nowhere = PostgresConfiguration(
        hosts: [PostgresConfiguration.Host("/nowhere/at/all")],
        tls: .disabled
    ) { PostgresConfiguration.Login(user: "leasekit", password: nil) }

    @Test func roles() throws {
        // sample: postgres-roles
        let roles = [
            "app": PostgresRole(.memberOf("app_readers"), ttl: .seconds(3_600), maximum: .seconds(86_400)),
            "report": PostgresRole(
                .statements(
                    creation: """
                        CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' INHERIT;
                        GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";
                        """
                ),
                ttl: .seconds(3_600),
                maximum: .seconds(86_400)
            ),
        ]
        // end sample
        _ = try PostgresBackend(client: LibPQClient(Self.nowhere), roles: roles)
    }

    @Test func backend() async {
        await #expect(throws: (any Error).self) {
            try await withLeaseManager { try await issue($0, LibPQClient(Self.nowhere)) }
        }
    }

    private func issue(_ manager: LeaseManager, _ client: LibPQClient) async throws {
        // sample: postgres-backend
        let backend = try PostgresBackend(
            client: client,
            roles: ["app": PostgresRole(.memberOf("app_readers"), ttl: .seconds(3_600), maximum: .seconds(86_400))]
        )
        try await backend.preflight().requireReady()
        let database = try await manager.mount(backend, at: "database")
        let lease = try await database.issue("app")
        // end sample
        _ = lease
    }

    @Test func connecting() {
        let password = SecretText("…")
        // sample: postgres-connect
        let configuration = PostgresConfiguration(
            hosts: [PostgresConfiguration.Host("db1.example.com"), PostgresConfiguration.Host("db2.example.com")],
            tls: .verifyFull(rootCertificate: "/etc/billing/database-ca.pem"),
            applicationName: "billing broker"
        ) { PostgresConfiguration.Login(user: "leasekit", password: password) }
        let client = LibPQClient(configuration)
        // end sample
        #expect("\(client)".contains("db2.example.com"))
    }

    @Test func rotatingTheAdmin() async {
        let (hosts, tls) = (Self.nowhere.hosts, Self.nowhere.tls)
        let initial = SecretText("…")
        await #expect(throws: PostgresError.self) {
            // sample: postgres-rotate
            let admin = RotatingLogin(user: "leasekit", password: initial, keeper: keeper)
            let configuration = PostgresConfiguration(hosts: hosts, tls: tls, login: admin.login)
            try await admin.recover(configuration)
            try await admin.rotate(configuration)
            // end sample
        }
    }

    @Test func usersThatStay() async throws {
        let client = LibPQClient(Self.nowhere)
        let configuration = Self.nowhere
        let time = VirtualTime()
        // sample: postgres-static
        let users = StaticUsers(
            ["report": StaticUser(role: "report_reader", schedule: .at(try CronSchedule("0 3 * * 0")))],
            client: client,
            configuration: configuration,
            keeper: keeper,
            time: time
        )
        try await users.recover()
        if let report = try users.read("report") {
            print(report.credential.username, report.timeLeft)
        }
        // end sample
        #expect(try users.read("report") == nil)
    }
}
