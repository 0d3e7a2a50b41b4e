// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

/// Sessions that are ended before their time.
@Suite struct STSRevocationTests {
    typealias Made = (handle: STSHandle, key: String, call: BackendCall)

    private func issue(_ backend: STSBackend, _ world: World, _ number: UInt64, for seconds: Int = 3_600) async throws
        -> Made
    {
        let call = try world.call(number, role: "deploy", expiresIn: .seconds(seconds))
        var handle = try backend.prepare("deploy", call)
        let issued = try await backend.issue("deploy", as: &handle, call)
        return (handle, issued.secret.accessKeyID, call)
    }

    private func later(_ made: Made, _ world: World) -> BackendCall {
        var call = made.call
        call.now = world.time.read().wall
        call.deadline = call.now + .seconds(60)
        return call
    }

    private func revoke(_ backend: STSBackend, _ world: World, _ made: Made) async throws -> RevocationOutcome {
        try await backend.revoke(made.handle, later(made, world))
    }

    @Test func aRevokedSessionOpensNothingAndTheOthersGoOn() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            let (first, second) = (try await issue(backend, world, 1), try await issue(backend, world, 2))
            world.aws.forgetCalls()
            #expect(try await revoke(backend, world, first) == .revoked)
            // Whose the own key is, is asked for once; and at the first time, what earlier processes have left.
            #expect(world.aws.calls == ["GetCallerIdentity", "PutRolePolicy", "ListRolePolicies"])
            #expect(!world.aws.isUsable(first.key) && world.aws.isUsable(second.key))
            #expect(try await revoke(backend, world, first) == .alreadyGone)
            world.aws.forgetCalls()
            #expect(try await revoke(backend, world, second) == .revoked)
            #expect(world.aws.calls == ["PutRolePolicy"])
            #expect(!world.aws.isUsable(second.key))
            let refusal = try await {
                var handle = first.handle
                return try await backend.renew(&handle, later(first, world))
            }()
            #expect(refusal.refusal != nil && backend.revocability.map(\.isAvailable) == [true])
        }
    }

    @Test func theManagerReportsThemAsRevoked() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            let manager = LeaseManager(
                store: InMemoryLeaseStore(deployment: "ours"),
                configuration: .init(entropy: .seeded(4), executor: world.executor),
                time: world.time
            )
            let run = Task(executorPreference: world.executor) { try await manager.run() }
            let mount = try await manager.mount(backend, at: "sts")
            let (first, second) = (try await mount.issue("deploy"), try await mount.issue("deploy"))
            let report = try await mount.revoke(first.id)
            #expect(report.revoked == 1 && report.ending == 0 && report.isComplete)
            #expect(!world.aws.isUsable(first.secret.accessKeyID) && world.aws.isUsable(second.secret.accessKeyID))
            // What ends by itself wants no call.
            world.aws.forgetCalls()
            await world.time.advance(by: .seconds(14_500))
            #expect(!world.aws.isUsable(second.secret.accessKeyID))
            #expect(try await manager.counts().total == 0)
            #expect(!world.aws.calls.contains("PutRolePolicy"))
            run.cancel()
            _ = await run.result
        }
    }

    /// AWS makes nothing that runs for less than 15 minutes.
    @Test func aLeaseOfAMinuteEndsItsSessionAfterAMinute() throws {
        let world = World()
        let backend = try world.sessions(bounds: .clamp)
        try world.drive {
            let manager = LeaseManager(
                store: InMemoryLeaseStore(deployment: "ours"),
                configuration: .init(entropy: .seeded(4), executor: world.executor),
                time: world.time
            )
            let run = Task(executorPreference: world.executor) { try await manager.run() }
            let mount = try await manager.mount(backend, at: "sts")
            let lease = try await mount.issue("deploy", IssueOptions(ttl: .seconds(60)))
            await world.time.advance(by: .seconds(55))
            #expect(world.aws.isUsable(lease.secret.accessKeyID))
            await world.time.advance(by: .seconds(10))
            #expect(!world.aws.isUsable(lease.secret.accessKeyID))
            #expect(try await manager.counts().total == 0)
            run.cancel()
            _ = await run.result
        }
    }

    @Test func whereOthersLeaveLittleRoomSpansAreWrittenAtOnce() throws {
        let world = World()
        let backend = try world.sessions()
        // Room for some fifty names.
        world.aws.change { $0.roles["deploy"]?["theirs"] = String(repeating: "x", count: 8_500) }
        try world.drive {
            var made: [Made] = []
            for number in 1...100 as ClosedRange<UInt64> {
                made.append(try await issue(backend, world, number))
                await world.time.advance(by: .seconds(1))
            }
            world.aws.forgetCalls()
            for each in made { #expect(try await revoke(backend, world, each) == .revoked) }
            #expect(made.allSatisfy { !world.aws.isUsable($0.key) })
            // One refusal, after which it is known.
            #expect(world.aws.calls.count { $0 == "PutRolePolicy" } == 101)
        }
    }

    @Test func manyAtOnceShareTheirCalls() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            var made: [Made] = []
            for number in 1...60 as ClosedRange<UInt64> { made.append(try await issue(backend, world, number)) }
            world.aws.forgetCalls()
            let outcomes = try await withThrowingTaskGroup(of: RevocationOutcome.self) { group in
                for each in made { group.addTask { try await revoke(backend, world, each) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.allSatisfy { $0 == .revoked })
            #expect(made.allSatisfy { !world.aws.isUsable($0.key) })
            #expect(world.aws.calls.count { $0 == "PutRolePolicy" } <= 5, "\(world.aws.calls)")
        }
    }

    @Test func anotherProcessEndsWhatTheFirstOneMadeAndBothKeepTheirDenials() throws {
        let world = World()
        let (first, second) = (try world.sessions(birth: 1), try world.sessions(birth: 2))
        try world.drive {
            let made = [
                try await issue(first, world, 1), try await issue(first, world, 2), try await issue(second, world, 3),
            ]
            #expect(try await revoke(first, world, made[0]) == .revoked)
            let stored = (try STSHandle(handleBytes: made[1].handle.handleBytes), made[1].key, made[1].call)
            #expect(try await revoke(second, world, stored) == .revoked)
            #expect(made[0...1].allSatisfy { !world.aws.isUsable($0.key) } && world.aws.isUsable(made[2].key))
            #expect(try await revoke(second, world, made[2]) == .revoked)
            #expect(made.allSatisfy { !world.aws.isUsable($0.key) })
            #expect(world.aws.change { $0.roles["deploy"]?.count } == 2)
        }
    }

    @Test func sixHundredSessionsFitBesideOnesThatGoOn() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            var (over, live): ([Made], [Made]) = ([], [])
            for number in 1...600 as ClosedRange<UInt64> {
                let made = try await issue(backend, world, number, for: 14_400)
                if number % 150 == 0 { live.append(made) } else { over.append(made) }
                await world.time.advance(by: .seconds(2))
            }
            for each in over { #expect(try await revoke(backend, world, each) == .revoked) }
            #expect(over.allSatisfy { !world.aws.isUsable($0.key) } && live.allSatisfy { world.aws.isUsable($0.key) })
            let size = try #require(world.aws.change { $0.roles["deploy"]?.values.map(\.utf8.count).max() })
            #expect(size <= DenialPolicy.compactedAbove, "\(size)")
            // And one that is made from now on is not hit either.
            let fresh = try await issue(backend, world, 2_000)
            #expect(world.aws.isUsable(fresh.key))
        }
    }

    @Test func aRoleWithoutRoomSaysSo() throws {
        let world = World()
        let backend = try world.sessions()
        world.aws.change { $0.roles["deploy"]?["theirs"] = String(repeating: "x", count: 10_200) }
        try world.drive {
            let made = try await issue(backend, world, 1)
            for _ in 1...2 {
                let outcome = try await revoke(backend, world, made)
                #expect(outcome == .endsByItself(at: made.handle.endsAt))
            }
            #expect(world.aws.isUsable(made.key))
            let said = try #require(backend.revocability.first)
            #expect(said.roleARN == World.deploy && said.obstacle?.contains("10240 characters") == true)
            // Once there is room, it is used.
            world.aws.change { $0.roles["deploy"]?["theirs"] = nil }
            #expect(try await revoke(backend, world, made) == .revoked)
            #expect(!world.aws.isUsable(made.key) && backend.revocability.map(\.isAvailable) == [true])
        }
    }

    @Test func aRoleOfAnotherAccountIsNotTouched() throws {
        let world = World()
        let foreign = "arn:aws:iam::210987654321:role/deploy"
        let backend = try world.sessions(of: foreign)
        try world.drive {
            let made = try await issue(backend, world, 1)
            world.aws.forgetCalls()
            #expect(try await revoke(backend, world, made) == .endsByItself(at: made.handle.endsAt))
            let checked = try await backend.preflight()
            #expect(checked.count == 1 && checked[0].obstacle?.contains("another account") == true)
            #expect(checked == backend.revocability)
            // Least of all the own role of that name.
            #expect(world.aws.calls == ["GetCallerIdentity"])
            #expect(world.aws.change { $0.roles["deploy"]?.isEmpty } == true)
        }
    }

    @Test func aMissingRightIsAFailureThatNamesIt() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            let made = try await issue(backend, world, 1)
            world.aws.script("PutRolePolicy", .answer(.failure(403, "AccessDenied", "not authorized")))
            let failure = await #expect(throws: BackendFailure.self) { try await revoke(backend, world, made) }
            #expect(failure?.kind == .denied && failure?.message.contains("iam:PutRolePolicy on the role") == true)
            #expect(try await revoke(backend, world, made) == .revoked)
            #expect(!world.aws.isUsable(made.key))
        }
    }

    @Test func aWritingThatArrivesLateUndoesNothing() throws {
        let world = World()
        let seen = Locked<[AWSHTTPRequest]>([])
        let aws = world.aws
        let transport = ScriptedTransport { request, _ throws(AWSTransportError) in
            if request.action == "PutRolePolicy" { seen.withLock { $0.append(request) } }
            return try await aws.send(request, timeout: .seconds(1))
        }
        let backend = try world.sessions(transport)
        try world.drive {
            let (first, second) = (try await issue(backend, world, 1), try await issue(backend, world, 2))
            world.aws.script("PutRolePolicy", .lost)
            let failure = await #expect(throws: BackendFailure.self) { try await revoke(backend, world, first) }
            #expect(failure?.kind == .ambiguous)
            #expect(try await revoke(backend, world, first) == .revoked)
            #expect(try await revoke(backend, world, second) == .revoked)
            // Now the first one arrives, which knows nothing of the second session.
            let late = try #require(seen.withLock { $0.first }).form
            world.aws.change { $0.roles["deploy"]?[late["PolicyName"] ?? ""] = late["PolicyDocument"] }
            #expect(!world.aws.isUsable(first.key) && !world.aws.isUsable(second.key))
            #expect(world.aws.change { $0.roles["deploy"]?.count } == 2)
        }
    }

    /// After an answer was lost nobody knows whether there is a session; the denial goes by the name.
    @Test func aSessionWhoseAnswerWasLostIsDenied() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            world.aws.script("AssumeRole", .doneAndLost, .doneAndLost, .doneAndLost, .doneAndLost, .doneAndLost)
            let call = try world.call(1, role: "deploy", expiresIn: .seconds(3_600))
            var handle = try backend.prepare("deploy", call)
            await #expect(throws: BackendFailure.self) { try await backend.issue("deploy", as: &handle, call) }
            let keys = world.aws.change { Array($0.sessions.keys) }
            #expect(!keys.isEmpty && keys.allSatisfy { world.aws.isUsable($0) })
            #expect(try await revoke(backend, world, (handle, "", call)) == .revoked)
            #expect(keys.allSatisfy { !world.aws.isUsable($0) })
            // What AWS has refused was never there: nothing to write.
            world.aws.script("AssumeRole", .answer(.failure(403, "AccessDenied")))
            let other = try world.call(2, role: "deploy", expiresIn: .seconds(3_600))
            var refused = try backend.prepare("deploy", other)
            await #expect(throws: BackendFailure.self) { try await backend.issue("deploy", as: &refused, other) }
            world.aws.forgetCalls()
            #expect(try await revoke(backend, world, (refused, "", other)) == .alreadyGone)
            #expect(world.aws.calls.isEmpty)
        }
    }

    @Test func denialsGoWhenTheirSessionsAreOver() throws {
        let world = World(pageSize: 1)
        let (dead, next) = (try world.sessions(birth: 1), try world.sessions(birth: 2))
        try world.drive {
            let policies = { world.aws.change { $0.roles["deploy"]?.keys.sorted() ?? [] } }
            let old = try await issue(dead, world, 1, for: 900)
            #expect(try await revoke(dead, world, old) == .revoked)
            let stranger = "leasekit-denials-00000000-0-1"
            world.aws.change { account in
                let text = account.roles["deploy"]?.values.first
                account.roles["deploy"]?[stranger] = text
                account.roles["deploy"]?["admins"] = World.document
            }
            let own = try await issue(next, world, 2, for: 900)
            #expect(try await revoke(next, world, own) == .revoked)
            #expect(policies().count == 4)
            // Too early to clear up after others.
            await world.time.advance(by: .seconds(3_700))
            let third = try await issue(next, world, 3, for: 7_200)
            #expect(try await revoke(next, world, third) == .revoked)
            #expect(!world.aws.isUsable(third.key) && policies().contains { $0.hasSuffix("-1") && $0 != stranger })
            await world.time.advance(by: .seconds(7_200))
            let fourth = try await issue(next, world, 4, for: 7_200)
            #expect(try await revoke(next, world, fourth) == .revoked)
            let left = policies().filter { $0 != stranger && $0 != "admins" }
            #expect(left.count == 1 && policies().count == 3, "\(policies())")
            #expect(!world.aws.isUsable(fourth.key))
            // And without another revocation, the last one goes at an issue.
            await world.time.advance(by: .seconds(14_400))
            _ = try await issue(next, world, 5)
            #expect(policies() == ["admins", stranger])
        }
    }

    /// What cannot be cleared up now is not tried again at each issue.
    @Test func aClearUpThatIsDeniedHoldsUpNoIssue() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            let old = try await issue(backend, world, 1, for: 900)
            #expect(try await revoke(backend, world, old) == .revoked)
            await world.time.advance(by: .seconds(7_200))
            for _ in 0..<20 { world.aws.script("DeleteRolePolicy", .answer(.failure(403, "AccessDenied"))) }
            world.aws.forgetCalls()
            for number in 2..<10 { _ = try await issue(backend, world, UInt64(number), for: 900) }
            #expect(world.aws.calls.filter { $0 == "DeleteRolePolicy" }.count == 1)
            await world.time.advance(by: .seconds(400))
            _ = try await issue(backend, world, 10, for: 900)
            #expect(world.aws.calls.filter { $0 == "DeleteRolePolicy" }.count == 2)
        }
    }

    @Test func preflightLeavesNothingBehind() throws {
        let world = World()
        let backend = try world.sessions()
        try world.drive {
            #expect(try await backend.preflight() == [STSRevocability(roleARN: World.deploy, obstacle: nil)])
            #expect(world.aws.change { $0.roles["deploy"]?.isEmpty } == true)
            world.aws.script("PutRolePolicy", .answer(.failure(403, "AccessDenied", "not authorized")))
            let refused = try await backend.preflight()
            #expect(refused.first?.obstacle?.contains("iam:PutRolePolicy") == true)
        }
    }

    @Test func whatCannotBeRevokedIsRefusedAsARole() throws {
        var token = STSRole.sessionToken()
        token.revocation = .byDenial
        var federated = STSRole.federationToken(policyDocument: World.document)
        federated.revocation = .byDenial
        var linked = STSRole.assumedRole("arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/X")
        linked.revocation = .byDenial
        for (role, word) in [(token, "lock out"), (federated, "assumedRole"), (linked, "another role")] {
            let error = #expect(throws: AWSError.self) { try CheckedSTSRole(role, name: "r") }
            #expect(error?.code == .outOfBounds && error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        let world = World()
        let plain = try STSBackend(world.access(), roles: ["r": .assumedRole(World.deploy)])
        #expect(!plain.abilities.isRevocable)
        #expect(try world.sessions().abilities.isRevocable)
        var role = STSRole.assumedRole(World.deploy)
        role.revocation = .byDenial
        let error = #expect(throws: AWSError.self) { try plain.setRole("late", role) }
        #expect(error?.message.contains("when the backend was made") == true)
    }

    @Test func oldHandlesAreRead() throws {
        let bytes = Array("leasekit-r-x\n1800000000000000000\nASIA1".utf8)
        let handle = try STSHandle(handleBytes: bytes)
        #expect(handle.denial == nil && handle.handleBytes == bytes)
        let denial = STSHandle.Denial(roleARN: World.deploy, deployment: "a\nb")
        let new = STSHandle(sessionName: "s", endsAt: handle.endsAt, denial: denial)
        #expect(try STSHandle(handleBytes: new.handleBytes) == new)
    }
}
