// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// Who may listen, and who may pretend to be the server.
@Suite struct TLSTests {
    typealias Host = PostgresConfiguration.Host

    private static let server = Result { try TestServer(.system, TestServer.Options(hasTLS: true)) }

    private func client(_ tls: PostgresConfiguration.TLS, host: String) throws -> LibPQClient {
        let server = try Self.server.get()
        var configuration = server.configuration(host: Host(host, port: server.port))
        configuration.tls = tls
        return LibPQClient(configuration)
    }

    @Test func theNameAndTheCertificateAreVerified() async throws {
        let root = try Self.server.get().certificate
        let client = try client(.verifyFull(rootCertificate: root), host: "localhost")
        let seen = try await client.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        #expect(seen[0].first == "t")
    }

    @Test func thePasswordExchangeCanBeBoundToTheConnection() async throws {
        let server = try Self.server.get()
        var tls = PostgresConfiguration.TLS.verifyFull(rootCertificate: server.certificate)
        tls.requiresChannelBinding = true
        #expect(try await client(tls, host: "localhost").run("SELECT 1")[0].first == "1")
        tls.mode = .disable
        let error = try await client(tls, host: "localhost").failure(of: "SELECT 1")
        #expect(error.scope == .target)
    }

    @Test func anotherNameIsRefused() async throws {
        let root = try Self.server.get().certificate
        let error = try await client(.verifyFull(rootCertificate: root), host: "127.0.0.1").failure(of: "SELECT 1")
        #expect(error.code == "tls" && error.kind == .denied && error.scope == .target)
        // The name is all that is wrong.
        let tls = PostgresConfiguration.TLS(mode: .verifyCA, rootCertificate: root)
        #expect(try await client(tls, host: "127.0.0.1").run("SELECT 1")[0].first == "1")
    }

    @Test func anotherCertificateIsRefused() async throws {
        let stranger = try TestServer(.system, TestServer.Options(hasTLS: true))
        let tls = PostgresConfiguration.TLS.verifyFull(rootCertificate: stranger.certificate)
        let error = try await client(tls, host: "localhost").failure(of: "SELECT 1")
        #expect(error.code == "tls" && error.kind == .denied)
    }

    @Test func aServerWithoutTLSIsRefused() async throws {
        let server = try TestServer.shared(.system)
        var configuration = server.configuration()
        configuration.tls = PostgresConfiguration.TLS(mode: .require)
        #expect(try await LibPQClient(configuration).failure(of: "SELECT 1").code == "tls")
    }
}
