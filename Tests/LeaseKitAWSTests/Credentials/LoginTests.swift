// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

/// When LeaseKit's own credentials cannot be had or are not accepted any more: about the target, and never about one lease.
@Suite struct LoginTests {
    private static let refusals = [
        AWSError(.accessDenied, "not authorized to assume it", action: "sts:AssumeRole", status: 403),
        AWSError("ValidationError", "too long", action: "sts:AssumeRole", status: 400),
        AWSError("InvalidIdentityToken", "no such provider", action: "sts:AssumeRoleWithWebIdentity", status: 400),
        AWSError(.outOfBounds, "no endpoint"),
        AWSError(.outOfTime, "over", action: "sts:AssumeRole"),
        AWSError(.noAnswer, "silence", action: "sts:AssumeRole", mayHaveBeenDone: true),
    ]

    private func access(_ world: World, as provider: any AWSCredentialsProvider) throws -> AWSAccess {
        try AWSAccess(credentials: provider, region: "eu-west-1", transport: world.aws, time: world.time)
    }

    @Test(arguments: refusals) func aLoginThatFailsIsNoFaultOfTheLease(error: AWSError) throws {
        let world = World()
        let backend = try world.users()
        let locked = try IAMUserBackend(
            access(world, as: CountingSource { _ throws(AWSError) in throw error }),
            roles: World.roles
        )
        try world.drive {
            let call = try world.call(backend: backend)
            var handle = try backend.prepare("app", call)
            _ = try await backend.issue("app", as: &handle, call)
            world.aws.forgetCalls()
            let failure = await #expect(throws: BackendFailure.self) { try await locked.revoke(handle, call) }
            #expect(failure?.scope == .target, "\(failure?.description ?? "")")
            // The revocation itself was never sent.
            #expect(failure?.kind != .ambiguous && world.aws.calls.isEmpty)
            #expect(failure?.message.contains(error.message) == true)
        }
    }

    @Test func aSessionsIssueFailsTheSameWay() throws {
        let world = World()
        let denied = Self.refusals[0]
        let backend = try STSBackend(
            access(world, as: CountingSource { _ throws(AWSError) in throw denied }),
            roles: ["deploy": .assumedRole(World.deploy)]
        )
        try world.drive {
            let call = try world.call(role: "deploy", expiresIn: .seconds(3_600))
            var handle = try backend.prepare("deploy", call)
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.issue("deploy", as: &handle, call)
            }
            #expect(failure?.scope == .target && failure?.message.contains("not authorized to assume it") == true)
        }
    }

    /// Secrets that are mounted as files end in a line break as often as not.
    @Test(arguments: [("AKIA\n", "s", nil), ("AKIA", "s\n", nil), ("AKIA", "s", "t\r\n"), ("AKIA ", "s", nil)])
    func aLineBreakInAKeyIsSaid(id: String, secret: String, token: String?) throws {
        let world = World()
        let key = AWSCredentials(
            accessKeyID: id,
            secretAccessKey: SecretText(secret),
            sessionToken: token.map { SecretText($0) }
        )
        let access = try access(world, as: StaticAWSCredentials(key))
        try world.drive {
            let deadline = world.time.read().continuous + .seconds(60)
            let error = await #expect(throws: AWSError.self) {
                try await access.sts.call("GetCallerIdentity", until: deadline)
            }
            #expect(error?.code == .badCredentials && error?.message.contains("line break") == true)
            #expect(world.aws.calls.isEmpty)
        }
    }

    /// A service that refuses a signature for its time refuses all of them.
    @Test(arguments: ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"])
    func aClockThatIsRefusedIsNoFaultOfTheLease(code: String) {
        let failure = AWSError(.init(code), "why", status: 403).failure()
        #expect(failure.kind == .denied && failure.scope == .target)
    }

    /// Calls that were under way together with old credentials are refused together; the new ones are fetched once.
    @Test func freshCredentialsAreNotForgottenForOldOnes() throws {
        let world = World()
        let asked = Locked(0)
        let provider = CachedCredentials(
            CountingSource { number in
                asked.withLock { $0 = number }
                return AWSCredentials(accessKeyID: "AKIA\(number)", secretAccessKey: SecretText("s"))
            },
            world.time
        )
        let (time, aws) = (world.time, world.aws)
        let transport = ScriptedTransport { request, number throws(AWSTransportError) in
            guard request.header("Authorization")?.contains("AKIA1/") == true else {
                return try await aws.send(request, timeout: .seconds(1))
            }
            // Each answer comes a while after the one before it.
            do { try await time.sleep(for: .seconds(1 + number)) } catch { throw .noAnswer("cancelled") }
            return .failure(403, "ExpiredToken")
        }
        let access = try AWSAccess(credentials: provider, region: "eu-west-1", transport: transport, time: world.time)
        try world.drive {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let deadline = time.read().continuous + .seconds(60)
                        _ = try await access.sts.call("GetCallerIdentity", until: deadline)
                    }
                }
                try await group.waitForAll()
            }
            #expect(asked.withLock { $0 } == 2)
        }
    }
}
