// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// A real PostgreSQL in a temporary folder, on a free port of the loopback and on a Unix socket.
///
/// It goes with the object, and with the process.
final class TestServer: Sendable {
    struct Options: Sendable {
        /// Settings of `postgresql.conf`.
        var settings: [String: String] = [:]
        /// Whether commits reach the disk; off makes tests faster.
        var syncs = false
        /// Whether it has a certificate for `localhost`, in ``TestServer/certificate``.
        var hasTLS = false
        /// A fixed port, to take the place of another server.
        var port: Int?
    }

    let version: ServerVersion
    let port: Int
    /// Data, log and socket.
    let folder: String
    /// That of the superuser `postgres`.
    let password: String
    private let binaries: String
    private let options: String
    private let shell: Locked<Shell?>

    private init(_ version: ServerVersion, _ options: Options) throws {
        let template = try Template.shared(version)
        self.version = version
        binaries = template.binaries
        password = template.password
        folder = try Scratch.makeFolder() + "/data"
        try Shell.run(Scratch.command(ServerScript.copy, [template.folder, folder]))
        if options.hasTLS { try Shell.run(Scratch.command(ServerScript.certify, [folder])) }
        var trouble: any Error = Shell.Trouble(description: "no port")
        for _ in 0..<5 {
            let port = try options.port ?? Loopback.freePort()
            let words = Self.words(options, port: port, folder: folder)
            do {
                shell = Locked(try Shell(Scratch.command(ServerScript.run, [binaries, folder, words])))
                self.port = port
                self.options = words
                return
            } catch {
                // Another process may have been given the port in between.
                trouble = error
            }
        }
        throw trouble
    }

    /// Starts one.
    static func make(_ version: ServerVersion = .system, _ options: Options = Options()) async throws -> TestServer {
        try await onOwnThread { try TestServer(version, options) }
    }

    deinit {
        let folder = (folder as NSString).deletingLastPathComponent
        guard let shell = shell.withLock({ $0 }) else {
            // What a server that was stopped leaves behind.
            try? FileManager.default.removeItem(atPath: folder)
            return
        }
        // It removes its folder itself. Stopping takes a while, and whoever lets go of it here has other things to do.
        shell.endInput()
        Thread.detachNewThread { shell.finish() }
    }

    private static func words(_ options: Options, port: Int, folder: String) -> String {
        var settings = [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": folder,
            "shared_buffers": "16MB", "fsync": "off", "full_page_writes": "off", "autovacuum": "off",
        ]
        if options.syncs {
            settings["fsync"] = "on"
            settings["full_page_writes"] = "on"
        }
        if options.hasTLS { settings["ssl"] = "on" }
        settings.merge(options.settings) { _, new in new }
        return settings.sorted { $0.key < $1.key }.map { "-c \($0.key)='\($0.value)'" }.joined(separator: " ")
    }

    /// One server for each version that all suites share; whoever changes it for others takes one of their own.
    static func shared(_ version: ServerVersion) async throws -> TestServer {
        if let server = sharedServers.withLock({ $0[version] }) { return server }
        return try await onOwnThread {
            try sharedServers.withLock { servers in
                if let server = servers[version] { return server }
                let server = try TestServer(
                    version,
                    Options(settings: ["log_statement": "all", "max_connections": "400"])
                )
                servers[version] = server
                return server
            }
        }
    }

    private static let sharedServers = Locked<[ServerVersion: TestServer]>([:])

    // MARK: - Trouble

    enum StopMode: String { case fast, immediate }

    /// Stops it; the folder stays.
    func stop(_ mode: StopMode = .fast) async {
        await onOwnThread { self.stopAndWait(mode) }
    }

    private func stopAndWait(_ mode: StopMode) {
        shell.withLock { shell in
            shell?.say(mode.rawValue)
            shell?.finish()
            shell = nil
        }
    }

    /// Starts it again at the same port.
    func start() async throws {
        try await onOwnThread {
            try self.shell.withLock { shell in
                shell = try Shell(Scratch.command(ServerScript.run, [self.binaries, self.folder, self.options]))
            }
        }
    }

    func restart() async throws {
        await stop()
        try await start()
    }

    /// The process of the server.
    var pid: Int32? {
        let text = try? String(contentsOfFile: folder + "/postmaster.pid", encoding: .utf8)
        return text.flatMap { $0.split(separator: "\n").first }.flatMap { Int32($0) }
    }

    /// Kills it without a chance to say goodbye.
    func kill() async {
        if let pid { Foundation.kill(pid, SIGKILL) }
        await stop(.immediate)
    }

    /// What it has logged.
    func log() throws -> String { try String(contentsOfFile: folder + "/log", encoding: .utf8) }

    var certificate: String { folder + "/server.crt" }

    // MARK: - Clients

    /// How to connect, as the superuser unless another login is given.
    func configuration(
        user: String = "postgres",
        password: String? = nil,
        host: PostgresConfiguration.Host? = nil,
        maxConnections: Int = 4
    ) -> PostgresConfiguration {
        let secret = SecretText(password ?? self.password)
        return PostgresConfiguration(
            hosts: [host ?? PostgresConfiguration.Host("127.0.0.1", port: port)],
            tls: .disabled,
            maxConnections: maxConnections
        ) { PostgresConfiguration.Login(user: user, password: secret) }
    }

    /// Runs statements as the superuser, each for itself.
    @discardableResult
    func sql(_ statements: String..., database: String? = nil) async throws -> [PostgresResult] {
        let client = LibPQClient(configuration(maxConnections: 1))
        let results = try await client.withSession(database: database, timeout: .seconds(30)) { session in
            try await session.run(statements.map { PostgresStatement($0) })
        }
        await client.close()
        return results
    }
}

/// A cluster that was made once and is copied for every server of its version.
private struct Template: Sendable {
    let binaries: String
    let folder: String
    let password: String
    /// Removes the folder at the end of the process.
    let keeper: Shell

    private static let made = Locked<[ServerVersion: Template]>([:])

    static func shared(_ version: ServerVersion) throws -> Template {
        try made.withLock { made in
            if let template = made[version] { return template }
            let home = try Scratch.makeFolder()
            let keeper = try Shell(Scratch.command(ServerScript.keep, [home]))
            let binaries = try Scratch.visible(version.binaries(), in: home)
            let password = PasswordPolicy().makePassword().withText { $0 }
            let folder = home + "/template"
            try Shell.run(Scratch.command(ServerScript.makeTemplate, [binaries, folder, password]))
            let template = Template(binaries: binaries, folder: folder, password: password, keeper: keeper)
            made[version] = template
            return template
        }
    }
}
