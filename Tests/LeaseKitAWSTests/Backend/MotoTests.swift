// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

/// The backends over the wire, against an emulator that checks every signature.
@Suite(.serialized, .timeLimit(.minutes(10))) struct MotoTests {
    private static let readOnly =
        #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets","s3:Get*"],"Resource":"*"}]}"#

    /// For a machine that is busy with other tests.
    private static let patient = MountSettings(
        issueTimeout: .seconds(300),
        renewTimeout: .seconds(300),
        revokeTimeout: .seconds(300)
    )

    @Test func usersConformOverTheWire() async throws {
        try await Moto.run { moto in
            let iam = try moto.iam
            _ = try await iam.client.call("CreateGroup", [("GroupName", "readers")], until: iam.deadline)
            let backend = try IAMUserBackend(
                moto.access(),
                roles: [
                    "s3": IAMUserRole(
                        policyDocument: Self.readOnly,
                        policyARNs: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
                        groups: ["readers"],
                        // The emulator writes the form anew before it hashes it, with a plus for a space: no spaces here.
                        tags: ["team": "a+b/c=d:e@f"],
                        path: "/apps/"
                    )
                ]
            )
            var suite = SecretBackendConformance(backend, request: "s3", time: SystemTime())
            suite.isUsable = { try await moto.refusal(of: $0) == nil }
            suite.secretBytes = { $0.secretAccessKey.withBytes { Array($0) } }
            suite.unknownRequest = "none"
            suite.unknownPath = "creds/none"
            // The machine is shared, and so is the emulator: nothing here waits for these to end.
            suite.callTimeout = .seconds(300)
            suite.grace = .seconds(60)
            try await suite.run()
            let left = try await iam.pages("ListUsers", [], "Users").compactMap { $0.text("UserName") }
            #expect(left == ["administrator"])
        }
    }

    /// The tutorial: a user that may read from S3, and no more, and then nothing.
    @Test func theTutorialsUserReadsFromS3() async throws {
        try await Moto.run { moto in
            // The emulator takes the policy that ends a user for one that has ended it.
            let backend = try IAMUserBackend(
                moto.access(),
                roles: ["s3": IAMUserRole(policyDocument: Self.readOnly)],
                options: IAMUserOptions(endSlack: nil, readiness: .init(successes: 2, interval: .milliseconds(1)))
            )
            var settings = Self.patient
            settings.acceptsLeaksOnCrash = true
            try await withLeaseManager { manager in
                let aws = try await manager.mount(backend, at: "aws", settings)
                let lease = try await aws.issue("s3", IssueOptions(ttl: .seconds(3_600)))
                #expect(try await moto.s3("GET", "/", as: lease.secret) == 200)
                #expect(try await moto.s3("PUT", "/bucket", as: lease.secret) == 403)
                var wrong = lease.secret
                wrong.secretAccessKey = SecretText("wrong")
                #expect(try await moto.refusal(of: wrong) == "SignatureDoesNotMatch")
                _ = try await aws.renew(lease.id)
                let report = try await aws.revoke(lease.id)
                #expect(report.isComplete)
                #expect(try await moto.refusal(of: lease.secret) == "InvalidClientTokenId")
            }
        }
    }

    /// The tutorial: a role for an hour by default, and four at most.
    @Test func theTutorialsRoleIsAssumed() async throws {
        try await Moto.run { moto in
            let iam = try moto.iam
            try await moto.makeRole("deploy", may: Self.readOnly, iam)
            let limits = TTLLimits(ttl: .seconds(3_600), maximum: .seconds(14_400))
            let role = STSRole.assumedRole("arn:aws:iam::\(Moto.account):role/deploy", limits: limits)
            let backend = try STSBackend(moto.access(), roles: ["deploy": role])
            try await withLeaseManager { manager in
                let aws = try await manager.mount(backend, at: "sts", Self.patient)
                let lease = try await aws.issue("deploy")
                let now = SystemTime().read().wall
                #expect(lease.expiresAt > now + .seconds(3_500) && lease.expiresAt <= now + .seconds(3_600))
                #expect(lease.secret.principal?.contains(":assumed-role/deploy/leasekit-deploy-\(lease.id)") == true)
                #expect(try await moto.s3("GET", "/", as: lease.secret) == 200)
                #expect(try await moto.s3("PUT", "/bucket", as: lease.secret) == 403)
                let longest = try await aws.issue("deploy", IssueOptions(ttl: .seconds(100_000)))
                #expect(longest.expiresAt <= now + .seconds(14_401) && longest.expiresAt > now + .seconds(14_300))
                // A token belongs to its key.
                var wrong = lease.secret
                wrong.sessionToken = longest.secret.sessionToken
                #expect(try await moto.refusal(of: wrong) != nil)
                let report = try await aws.revoke(lease.id)
                #expect(report.ending == 1 && report.remaining.first?.due == lease.expiresAt, "\(report)")
            }
        }
    }

    @Test func temporaryOwnCredentialsSignWithTheirToken() async throws {
        try await Moto.run { moto in
            let iam = try moto.iam
            try await moto.makeRole("broker", may: Moto.everything, iam)
            let settings = AWSSourceSettings(
                environment: [:],
                region: "us-east-1",
                endpoints: .all(at: moto.address),
                timeout: .seconds(200)
            )
            let source = AWSCredentialsSource.role(
                arn: "arn:aws:iam::\(Moto.account):role/broker",
                from: StaticAWSCredentials(moto.administrator),
                settings
            )
            let access = try AWSAccess(credentials: source, region: "us-east-1", endpoints: .all(at: moto.address))
            let backend = try IAMUserBackend(access, roles: ["s3": IAMUserRole(policyDocument: Self.readOnly)])
            try await withLeaseManager { manager in
                let aws = try await manager.mount(backend, at: "aws", Self.patient)
                let lease = try await aws.issue("s3", IssueOptions(ttl: .seconds(600)))
                #expect(try await moto.refusal(of: lease.secret) == nil)
                #expect(try await aws.revoke(lease.id).isComplete)
            }
        }
    }

    /// Both kinds that are made with a user's key.
    @Test func tokensComeOverTheWire() async throws {
        try await Moto.run { moto in
            let iam = try moto.iam
            _ = try await iam.client.call("CreateGroup", [("GroupName", "readers")], until: iam.deadline)
            try await iam.run(
                .init(
                    "PutGroupPolicy",
                    [("GroupName", "readers"), ("PolicyName", "read"), ("PolicyDocument", Self.readOnly)]
                )
            )
            let limits = TTLLimits(ttl: .seconds(3_600), maximum: .seconds(7_200))
            var federated = STSRole.federationToken(
                policyDocument: Self.readOnly,
                policyARNs: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
                limits: limits
            )
            federated.groups = ["readers"]
            let backend = try STSBackend(
                moto.access(),
                roles: ["federated": federated, "session": .sessionToken(limits: limits)]
            )
            try await withLeaseManager { manager in
                let aws = try await manager.mount(backend, at: "sts", Self.patient)
                for role in ["federated", "session"] {
                    let now = SystemTime().read().wall
                    let lease = try await aws.issue(STSRequest(role), IssueOptions(ttl: .seconds(1_800)))
                    #expect(lease.expiresAt <= now + .seconds(1_900) && lease.expiresAt > now + .seconds(1_700))
                    #expect(!lease.secret.accessKeyID.isEmpty && lease.secret.sessionToken != nil)
                    #expect(lease.secret.expiresAt == lease.expiresAt)
                    if role == "federated" {
                        #expect(lease.secret.principal?.contains("federated-user/lk-\(lease.id)") == true)
                    }
                    await #expect(throws: LeaseError.self) { try await aws.renew(lease.id) }
                    let report = try await aws.revoke(lease.id)
                    #expect(report.ending == 1 && report.remaining.first?.due == lease.expiresAt, "\(report)")
                }
            }
            // Somebody else's signature is not accepted.
            var wrong = moto.administrator
            wrong.secretAccessKey = SecretText("wrong")
            let access = try moto.access(as: wrong)
            for action in ["GetSessionToken", "GetFederationToken"] {
                let error = await #expect(throws: AWSError.self) {
                    try await access.sts.call(action, [("Name", "lk")], until: iam.deadline)
                }
                #expect(error?.code == "SignatureDoesNotMatch")
            }
        }
    }

    /// The emulator checks the denial, and it locks out whom it names.
    ///
    /// It takes every condition for one that holds, so that whom the denial spares shows elsewhere.
    @Test func aSessionIsDeniedOverTheWire() async throws {
        try await Moto.run { moto in
            let iam = try moto.iam
            try await moto.makeRole("deploy", may: Self.readOnly, iam)
            var role = STSRole.assumedRole("arn:aws:iam::\(Moto.account):role/deploy")
            role.revocation = .byDenial
            let backend = try STSBackend(moto.access(), roles: ["deploy": role])
            #expect(try await backend.preflight(timeout: .seconds(300)).map(\.isAvailable) == [true])
            let ownPolicies = {
                try await iam.pages("ListRolePolicies", [("RoleName", "deploy")], "PolicyNames").map(\.text)
            }
            #expect(try await ownPolicies() == ["own"])
            try await withLeaseManager { manager in
                let aws = try await manager.mount(backend, at: "sts", Self.patient)
                let lease = try await aws.issue("deploy")
                #expect(try await moto.s3("GET", "/", as: lease.secret) == 200)
                let report = try await aws.revoke(lease.id)
                #expect(report.revoked == 1 && report.ending == 0 && report.isComplete, "\(report)")
                #expect(try await moto.s3("GET", "/", as: lease.secret) == 403)
                let policy = try #require(try await ownPolicies().first { $0 != "own" })
                let reply = try await iam.client.call(
                    "GetRolePolicy",
                    [("RoleName", "deploy"), ("PolicyName", policy)],
                    until: iam.deadline
                )
                let encoded = try #require(reply.result.text("PolicyDocument"))
                #expect(try #require(PercentCoding.decoded(encoded)).contains("*-\(lease.id)"))
            }
            // Spans of time are in the language of policies, too.
            let sessions = (0..<50).map { number in
                let time = Int64(1_800_000_000 + number)
                return DenialPolicy.Session(lease: LeaseID(high: 1, low: UInt64(number)), issuedAt: time, endsAt: time)
            }
            let spans = DenialPolicy(naming: sessions).compacted(.init())
            #expect(spans.spans.count == 1)
            let parameters = [("RoleName", "deploy"), ("PolicyName", "spans"), ("PolicyDocument", spans.text("lk-1"))]
            _ = try await iam.client.call("PutRolePolicy", parameters, until: iam.deadline)
        }
    }

    @Test func theOwnKeyIsExchanged() async throws {
        try await Moto.run { moto in
            let keeper = InMemorySecretKeeper()
            let settings = AWSSourceSettings(
                environment: [:],
                region: "us-east-1",
                endpoints: .all(at: moto.address),
                timeout: .seconds(200)
            )
            let root = try RootKey(moto.administrator, keeper: keeper, settings)
            let access = try AWSAccess(credentials: root, region: "us-east-1", endpoints: .all(at: moto.address))
            var before = moto.administrator
            for _ in 1...2 {
                try await root.rotate(timeout: .seconds(300))
                let now = try await root.credentials()
                #expect(now.accessKeyID != before.accessKeyID)
                #expect(try await moto.refusal(of: now) == nil)
                #expect(try await moto.refusal(of: before) == "InvalidClientTokenId")
                let iam = IAMCalls(client: access.iam, deadline: SystemTime().read().continuous + .seconds(300))
                #expect(try await iam.accessKeys(of: "administrator") == [now.accessKeyID])
                before = now
            }
            // The next process finds it in the keeper.
            let next = try RootKey(moto.administrator, keeper: keeper, settings)
            #expect(try await next.credentials() == before)
        }
    }

    /// By path and tag, over the wire; a thousand of them are swept elsewhere.
    @Test func orphansAreSweptOverTheWire() async throws {
        try await Moto.run { moto in
            let iam = try moto.iam
            let roles = ["s3": IAMUserRole(policyDocument: Self.readOnly)]
            let store = InMemoryLeaseStore(deployment: "ours", simulatedDurability: true)
            let lost = InMemoryLeaseStore(deployment: "ours", simulatedDurability: true)
            let others = InMemoryLeaseStore(deployment: "theirs", simulatedDurability: true)
            for (forgotten, count) in [(lost, 10), (others, 5)] {
                // It ends without ending its leases: what it has made is left.
                let manager = LeaseManager(store: forgotten)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await manager.run() }
                    let backend = try IAMUserBackend(moto.access(), roles: roles)
                    let aws = try await manager.mount(backend, at: "aws", Self.patient)
                    for _ in 0..<count { _ = try await aws.issue("s3", IssueOptions(ttl: .seconds(3_600))) }
                    manager.beginShutdown()
                    try await group.waitForAll()
                }
            }
            let manager = LeaseManager(store: store)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await manager.run() }
                let backend = try IAMUserBackend(moto.access(), roles: roles)
                let aws = try await manager.mount(backend, at: "aws", Self.patient)
                let live = try await aws.issue("s3", IssueOptions(ttl: .seconds(3_600)))
                let report = try await manager.sweepOrphans(ofMountAt: "aws", SweepOptions(grace: .zero))
                #expect(report.ended == 10 && report.known == 1 && report.failed == 0, "\(report)")
                let left = try await iam.pages("ListUsers", [("PathPrefix", "/leasekit/")], "Users")
                #expect(left.count == 6)
                #expect(try await moto.refusal(of: live.secret) == nil)
                manager.beginShutdown()
                try await group.waitForAll()
            }
        }
    }
}
