// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct RootKeyTests {
    private static let first = AWSCredentials(accessKeyID: "AKIAROOT", secretAccessKey: SecretText("root-secret"))

    /// A transport of a process that dies at a request, and sends nothing from then on.
    private final class Dying: AWSTransport {
        let aws: FakeAWS
        let place: Int
        let isDone: Bool
        private let count = Locked(0)

        init(_ aws: FakeAWS, at place: Int, done isDone: Bool) {
            self.aws = aws
            self.place = place
            self.isDone = isDone
        }

        var requests: Int { count.withLock { $0 } }

        func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number < place { return try await aws.send(request, timeout: timeout) }
            if number == place, isDone { _ = try await aws.send(request, timeout: timeout) }
            throw .notSent("dead")
        }
    }

    private func rootKey(_ world: World, _ keeper: any SecretKeeper, _ transport: (any AWSTransport)? = nil) throws
        -> RootKey
    {
        world.aws.change { account in
            if account.users["broker"] == nil {
                account.users["broker"] = FakeAccount.User(
                    path: "/",
                    tags: [:],
                    madeAt: world.aws.now,
                    boundary: nil,
                    keys: ["AKIAROOT": "root-secret"]
                )
            }
        }
        let settings = AWSSourceSettings(
            environment: [:],
            region: "eu-west-1",
            transport: transport ?? world.aws,
            time: world.time
        )
        return try RootKey(Self.first, keeper: keeper, settings)
    }

    private func keys(_ world: World) -> [String] { world.aws.users["broker"]?.keys.keys.sorted() ?? [] }

    @Test func aNewKeyTakesThePlaceOfTheOld() throws {
        let world = World()
        let keeper = InMemorySecretKeeper()
        let key = try rootKey(world, keeper)
        try world.drive {
            #expect(try await key.credentials() == Self.first)
            try await key.rotate()
            let new = try await key.credentials()
            #expect(new.accessKeyID != "AKIAROOT" && keys(world) == [new.accessKeyID])
            let calls = world.aws.calls
            let proof = try #require(calls.firstIndex(of: "GetCallerIdentity"))
            #expect(calls.firstIndex(of: "CreateAccessKey") == proof - 1 && calls.last == "DeleteAccessKey")
            // The next process has the keeper's, though it is given the first one.
            let next = try rootKey(world, keeper)
            #expect(try await next.credentials() == new)
            try await next.rotate()
            #expect(keys(world) == [try await next.credentials().accessKeyID])
            // A backend goes on with whatever counts.
            let access = try AWSAccess(credentials: next, region: "eu-west-1", transport: world.aws, time: world.time)
            let backend = try IAMUserBackend(access, roles: ["app": IAMUserRole()])
            let call = try world.call(backend: backend)
            var handle = try backend.prepare("app", call)
            _ = try await backend.issue("app", as: &handle, call)
        }
    }

    @Test func aKeyOfSomebodyElseStopsItBeforeAnythingIsDone() throws {
        let world = World()
        let key = try rootKey(world, InMemorySecretKeeper())
        world.aws.change { $0.users["broker"]?.keys["AKIAOTHER"] = "s" }
        try world.drive {
            let error = await #expect(throws: AWSError.self) { try await key.rotate() }
            #expect(error?.message.contains("AKIAOTHER") == true)
            #expect(keys(world) == ["AKIAOTHER", "AKIAROOT"])
            #expect(world.aws.calls == ["ListAccessKeys"])
        }
    }

    @Test func aKeyThatDoesNotWorkYetIsWaitedFor() throws {
        let world = World()
        let key = try rootKey(world, InMemorySecretKeeper())
        for _ in 0..<4 { world.aws.script("GetCallerIdentity", .answer(.failure(403, "InvalidClientTokenId"))) }
        try world.drive {
            try await key.rotate()
            #expect(keys(world).count == 1)
            // One that never works leaves the old one as it is.
            for _ in 0..<200 { world.aws.script("GetCallerIdentity", .answer(.failure(403, "InvalidClientTokenId"))) }
            let before = try await key.credentials()
            await #expect(throws: AWSError.self) { try await key.rotate(timeout: .seconds(20)) }
            #expect(try await key.credentials() == before)
            #expect(keys(world).contains(before.accessKeyID))
        }
    }

    /// Somebody has deleted the key of a rotation that did not come to its end: it never works, and the next one goes on without it.
    @Test func aStagedKeyThatIsGoneIsLeftBehind() throws {
        let world = World()
        let keeper = InMemorySecretKeeper()
        let slow = ScriptedTransport { request, _ throws(AWSTransportError) in
            if request.action == "GetCallerIdentity" { return .failure(403, "InvalidClientTokenId") }
            return try await world.aws.send(request, timeout: .seconds(1))
        }
        let key = try rootKey(world, keeper, slow)
        try world.drive {
            await #expect(throws: AWSError.self) { try await key.rotate(timeout: .seconds(20)) }
            let made = try #require(keys(world).first { $0 != "AKIAROOT" })
            world.aws.change { _ = $0.users["broker"]?.keys.removeValue(forKey: made) }
            let knowing = ScriptedTransport { request, _ throws(AWSTransportError) in
                if request.header("Authorization")?.contains("Credential=\(made)/") == true {
                    return .failure(403, "InvalidClientTokenId")
                }
                return try await world.aws.send(request, timeout: .seconds(1))
            }
            let next = try rootKey(world, keeper, knowing)
            try await next.rotate(timeout: .seconds(20))
            #expect(keys(world) == [try await next.credentials().accessKeyID])
        }
    }

    /// Calls that were signed with the old key before it went, and other processes with the same keeper, go on with the new one.
    @Test func aRotationElsewhereIsNoticed() throws {
        let world = World()
        let keeper = InMemorySecretKeeper()
        let (rotating, other) = (try rootKey(world, keeper), try rootKey(world, keeper))
        let strict = ScriptedTransport { request, _ throws(AWSTransportError) in
            let known = world.aws.users["broker"]?.keys.keys.map { "Credential=\($0)/" } ?? []
            let isKnown = known.contains { request.header("Authorization")?.contains($0) == true }
            if !isKnown { return .failure(403, "InvalidClientTokenId") }
            return try await world.aws.send(request, timeout: .seconds(1))
        }
        let access = try AWSAccess(credentials: other, region: "eu-west-1", transport: strict, time: world.time)
        try world.drive {
            let deadline = world.time.read().continuous + .seconds(600)
            _ = try await access.sts.call("GetCallerIdentity", until: deadline)
            try await rotating.rotate()
            _ = try await access.sts.call("GetCallerIdentity", until: deadline)
            let (seen, new) = (try await other.credentials(), try await rotating.credentials())
            #expect(seen == new)
            // A key that is really unknown is an error after one look.
            world.aws.change { $0.users["broker"]?.keys = [:] }
            let before = strict.requests.count
            let error = await #expect(throws: AWSError.self) {
                try await access.sts.call("GetCallerIdentity", until: deadline)
            }
            #expect(error?.code == "InvalidClientTokenId" && strict.requests.count == before + 1)
        }
    }

    /// Dead at each request, before and after it: the keeper's key works, and the next rotation leaves one key.
    @Test(arguments: 1...6, [false, true]) func survivesADeathAtEachRequest(place: Int, done: Bool) throws {
        let world = World()
        let keeper = InMemorySecretKeeper()
        let dying = Dying(world.aws, at: place, done: done)
        let key = try rootKey(world, keeper, dying)
        try world.drive {
            await #expect(throws: AWSError.self) { try await key.rotate(timeout: .seconds(5)) }
            #expect(dying.requests >= place)
            let next = try rootKey(world, keeper)
            let works = try await next.credentials().accessKeyID
            #expect(keys(world).contains(works))
            try await next.rotate()
            #expect(keys(world) == [try await next.credentials().accessKeyID])
            #expect(!keys(world).contains("AKIAROOT"))
        }
    }

    @Test(arguments: 1...6) func survivesAKeeperThatFails(place: Int) throws {
        let world = World()
        let keeper = InMemorySecretKeeper()
        let failing = FailingKeeper(keeper: keeper, place: place)
        let key = try rootKey(world, failing)
        try world.drive {
            await #expect(throws: AWSError.self) { try await key.rotate() }
            let next = try rootKey(world, keeper)
            #expect(keys(world).contains(try await next.credentials().accessKeyID))
            try await next.rotate()
            #expect(keys(world) == [try await next.credentials().accessKeyID])
        }
    }

    /// A keeper whose changes fail from one on.
    private struct FailingKeeper: SecretKeeper {
        let keeper: InMemorySecretKeeper
        let place: Int
        private let count = Locked(0)

        init(keeper: InMemorySecretKeeper, place: Int) {
            self.keeper = keeper
            self.place = place
        }

        private func step() throws(SecretKeeperError) {
            let number = count.withLock { count in
                count += 1
                return count
            }
            if number >= place { throw SecretKeeperError(.unavailable, "the keeper is gone") }
        }

        func load(_ name: String) async throws(SecretKeeperError) -> KeptSecrets { try await keeper.load(name) }

        func stage(_ secret: SecretText, as name: String, replacing version: UInt64?) async throws(SecretKeeperError)
            -> UInt64
        {
            try step()
            return try await keeper.stage(secret, as: name, replacing: version)
        }

        func commit(_ name: String, version: UInt64) async throws(SecretKeeperError) {
            try step()
            try await keeper.commit(name, version: version)
        }

        func discard(_ name: String, version: UInt64) async throws(SecretKeeperError) {
            try await keeper.discard(name, version: version)
        }

        func remove(_ name: String, version: UInt64) async throws(SecretKeeperError) {
            try await keeper.remove(name, version: version)
        }
    }
}
