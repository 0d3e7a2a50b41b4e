// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Synchronization
import Testing

// sample: plain-pool
/// Stands for a database driver.
protocol Driver: Sendable {
    associatedtype Connection: Sendable
    func open(_ credential: FakeCredential) async throws -> Connection
    func close(_ connection: Connection) async
    /// Whether an error says that the target did not take the credential: SQLSTATE 28P01 or 28000 of PostgreSQL.
    func isRejection(_ error: any Error) -> Bool
}

/// A connection, and the hold on the generation that it was opened with, which ends with it.
final class Pooled<Connection: Sendable>: Sendable {
    let connection: Connection
    let use: CredentialUse

    init(_ connection: Connection, _ use: consuming CredentialUse) {
        self.connection = connection
        self.use = use
    }
}

actor Pool<Target: Driver> {
    private let driver: Target
    private let credential: RotatingCredential<FakeCredential>
    /// How long a connection is in use at the longest: none is lent by a credential that ends before.
    private let longestUse: Duration
    private var idle: [Pooled<Target.Connection>] = []

    init(_ driver: Target, _ credential: RotatingCredential<FakeCredential>, longestUse: Duration) {
        self.driver = driver
        self.credential = credential
        self.longestUse = longestUse
    }

    func withConnection<Result: Sendable>(
        _ body: @Sendable (Target.Connection) async throws -> Result
    ) async throws -> Result {
        let pooled = try await take()
        do {
            let result = try await body(pooled.connection)
            await putBack(pooled)
            return result
        } catch {
            await driver.close(pooled.connection)
            throw error
        }
    }

    /// Closes idle connections of old generations, so that nothing waits for them; runs beside the pool.
    func run() async {
        for await _ in credential.updates() {
            let old = idle.filter { $0.use.standing != .current }
            idle.removeAll { $0.use.standing != .current }
            for pooled in old { await driver.close(pooled.connection) }
        }
    }

    private func take() async throws -> Pooled<Target.Connection> {
        while let pooled = idle.popLast() {
            // Replacements can be late: what is current may be about to end.
            if pooled.use.standing == .current, pooled.use.timeLeft >= longestUse { return pooled }
            await driver.close(pooled.connection)
        }
        while true {
            let secret = try await credential.get(validFor: longestUse)
            // Taken in hand before the connection is opened: it cannot be revoked in between. Nil when another took over meanwhile.
            guard let use = try? credential.checkout(secret.generation) else { continue }
            do {
                let connection = try await driver.open(secret.secret)
                if use.timeLeft >= longestUse { return Pooled(connection, use) }
                await driver.close(connection)  // opening it took too long
            } catch {
                guard driver.isRejection(error) else { throw error }
                // It took so long that the user was over: nothing is wrong with the credential, and the next one is there.
                if use.timeLeft < longestUse { continue }
                credential.rejected(secret.generation)
                throw error
            }
        }
    }

    private func putBack(_ pooled: Pooled<Target.Connection>) async {
        if pooled.use.standing == .current { idle.append(pooled) } else { await driver.close(pooled.connection) }
    }
}
// end sample

// sample: postgres-nio
/// Stands for PostgresNIO's PostgresClient: a pool of its own, for one user and password.
protocol PostgresClientLike: Sendable {
    init(username: String, password: String)
    func run() async
    func query(_ sql: String) async throws -> Int
}

/// One client for each generation: the new one takes the queries, the old one finishes its own.
final class RotatingPostgresClient<Client: PostgresClientLike>: Sendable {
    /// A client and its hold: queries keep it while they run, and with the last one the hold ends, and the client.
    private final class Generation: Sendable {
        let client: Client
        private let use: CredentialUse
        private let isOver: AsyncStream<Never>.Continuation

        init(_ client: Client, _ use: consuming CredentialUse, _ isOver: AsyncStream<Never>.Continuation) {
            self.client = client
            self.use = use
            self.isOver = isOver
        }

        deinit { isOver.finish() }
    }

    private let credential: RotatingCredential<FakeCredential>
    private let current = Mutex<Generation?>(nil)

    init(_ credential: RotatingCredential<FakeCredential>) { self.credential = credential }

    func run() async {
        await withDiscardingTaskGroup { group in
            for await secret in credential.updates() {
                guard let generation = begin(secret, &group) else { continue }
                // The lock is left before the old one goes.
                let old = current.withLock { current in
                    defer { current = generation }
                    return current
                }
                _ = old
            }
            current.withLock { $0 = nil }
        }
    }

    func query(_ sql: String) async throws -> Int {
        guard let generation = current.withLock({ $0 }) else { throw CancellationError() }
        return try await generation.client.query(sql)
    }

    private func begin(
        _ secret: VersionedSecret<FakeCredential>,
        _ group: inout DiscardingTaskGroup
    ) -> Generation? {
        let (stream, isOver) = AsyncStream.makeStream(of: Never.self)
        let client = Client(username: secret.secret.username, password: secret.secret.password)
        do {
            let generation = Generation(client, try credential.checkout(secret.generation), isOver)
            group.addTask {
                await withTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { await client.run() }
                    tasks.addTask { for await _ in stream {} }
                    await tasks.next()
                    tasks.cancelAll()
                }
            }
            return generation
        } catch {
            return nil  // replaced already: the next one comes at once
        }
    }
}
// end sample

// sample: soto
/// Stands for Soto's CredentialProvider: asked before each request.
protocol SotoCredentialProviderLike: Sendable {
    func getCredential() async throws -> (accessKeyId: String, secretAccessKey: String)
}

/// Requests are short and take nothing in hand: give the credential's policy a `linger` longer than the longest of them.
struct LeasedCredentialProvider: SotoCredentialProviderLike {
    let credential: RotatingCredential<FakeCredential>

    func getCredential() async throws -> (accessKeyId: String, secretAccessKey: String) {
        // Signed now, and good until the request has arrived.
        let secret = try await credential.get(validFor: .seconds(60)).secret
        return (secret.username, secret.password)
    }
}
// end sample

/// How queries ended: with a credential that worked, or without.
private final class Queries: Sendable {
    private let counts = Mutex((good: 0, cutOff: 0))

    func add(_ isGood: Bool) { counts.withLock { if isGood { $0.good += 1 } else { $0.cutOff += 1 } } }

    var good: Int { counts.withLock { $0.good } }
    var cutOff: Int { counts.withLock { $0.cutOff } }
}

/// The recipes work: an in-memory target stands for the database.
@Suite struct RotatingUnderAPoolSamples {
    private struct FakeDriver: Driver {
        struct Rejected: Error {}
        let target: InMemoryTarget

        func open(_ credential: FakeCredential) async throws -> FakeCredential {
            guard target.check(credential) else { throw Rejected() }
            return credential
        }
        func close(_ connection: FakeCredential) async {}
        func isRejection(_ error: any Error) -> Bool { error is Rejected }
    }

    private struct FakeClient: PostgresClientLike {
        static let target = Mutex<InMemoryTarget?>(nil)
        let credential: FakeCredential

        init(username: String, password: String) {
            credential = FakeCredential(username: username, password: password)
        }
        func run() async { for await _ in AsyncStream<Never>.makeStream(of: Never.self).stream {} }
        func query(_ sql: String) async throws -> Int {
            guard Self.target.withLock({ $0 })?.check(credential) == true else { throw FakeDriver.Rejected() }
            return 1
        }
    }

    private func withCredential(
        _ policy: RotationPolicy = RotationPolicy(grace: .seconds(20)),
        ttl: Duration = .seconds(60),
        _ body:
            @Sendable @escaping (RotatingCredential<FakeCredential>, InMemoryTarget, VirtualTime) async throws -> Void
    ) throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 1, time: time)
        let target = InMemoryTarget(time: time)
        let role = InMemoryRole(limits: TTLLimits(ttl: ttl, maximum: ttl * 2))
        let backend = InMemoryBackend(target: target, time: time, roles: ["app": role])
        let configuration = LeaseManager.Configuration(entropy: .seeded(1), executor: executor)
        let scheduler = RenewalScheduler(
            configuration: RenewalScheduler.Configuration(entropy: .seeded(2), executor: executor),
            time: time
        )
        try executor.drive(timeLimit: .seconds(86_400)) {
            try await withLeaseManager(configuration: configuration, time: time) { manager in
                let database = try await manager.mount(backend, at: "database")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await scheduler.run() }
                    let route = LeaseRoute(database)
                    let credential = RotatingCredential("app", through: route, on: scheduler, policy: policy)
                    _ = try await credential.get()
                    try await body(credential, target, time)
                    scheduler.beginShutdown()
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func plainPool() throws {
        try withCredential { credential, target, time in
            let pool = Pool(FakeDriver(target: target), credential, longestUse: .seconds(5))
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    await pool.run()
                    return 0
                }
                for worker in 0..<4 {
                    group.addTask {
                        for _ in 0..<600 {
                            try await pool.withConnection { connection in
                                if !target.check(connection) { throw FakeDriver.Rejected() }
                            }
                            try await time.sleep(for: .milliseconds(900 + worker))
                        }
                        return worker
                    }
                }
                // A worker that meets a credential that does not work throws.
                for _ in 0..<4 { _ = try await group.next() }
                group.cancelAll()
            }
            #expect(credential.current.map { $0.generation.rawValue >= 5 } == true)
            #expect(target.liveCredentials.count <= 2)
        }
    }

    /// Replacements come late, because the target makes none for a while.
    ///
    /// The pool that asks for time enough never has a credential end under a query; the same one that asks for none does.
    @Test(arguments: [5, 0]) func lateReplacements(longestUse seconds: Int) throws {
        try withCredential { credential, target, time in
            let pool = Pool(FakeDriver(target: target), credential, longestUse: .seconds(seconds))
            let queries = Queries()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                for worker in 0..<4 {
                    group.addTask {
                        while !Task.isCancelled {
                            try await time.sleep(for: .milliseconds(100 + worker))
                            do {
                                try await pool.withConnection { connection in
                                    try await time.sleep(for: .milliseconds(4_900))
                                    queries.add(target.check(connection))
                                }
                            } catch is LeaseError {}  // there was none in time
                        }
                    }
                }
                for round in 0..<8 {
                    for _ in 0..<4 + round { target.script(.issue, .failBefore(.denied)) }
                    try await time.sleep(for: .seconds(250))
                }
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error) = result, !(error is CancellationError) { throw error }
                }
            }
            #expect(queries.good > 1_000)
            #expect((queries.cutOff == 0) == (seconds > 0), "\(queries.cutOff) were cut off")
        }
    }

    @Test func postgresNIO() throws {
        try withCredential { credential, target, time in
            FakeClient.target.withLock { $0 = target }
            let client = RotatingPostgresClient<FakeClient>(credential)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await client.run() }
                try await time.sleep(for: .seconds(1))
                for _ in 0..<600 {
                    #expect(try await client.query("select 1") == 1)
                    try await time.sleep(for: .seconds(1))
                }
                group.cancelAll()
            }
            #expect(credential.current.map { $0.generation.rawValue >= 5 } == true)
            FakeClient.target.withLock { $0 = nil }
        }
    }

    @Test func soto() throws {
        try withCredential(RotationPolicy(linger: .seconds(10)), ttl: .seconds(300)) { credential, target, time in
            let provider = LeasedCredentialProvider(credential: credential)
            var rejected = 0
            for _ in 0..<400 {
                let keys = try await provider.getCredential()
                // A request that takes five seconds.
                try await time.sleep(for: .seconds(5))
                let secret = FakeCredential(username: keys.accessKeyId, password: keys.secretAccessKey)
                if !target.check(secret) { rejected += 1 }
            }
            #expect(rejected == 0)
            #expect(credential.current.map { $0.generation.rawValue >= 3 } == true)
        }
    }
}
