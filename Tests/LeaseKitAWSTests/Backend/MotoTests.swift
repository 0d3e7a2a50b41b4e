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
            let trust =
                #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#
            _ = try await iam.client.call(
                "CreateRole",
                [("RoleName", "deploy"), ("AssumeRolePolicyDocument", trust)],
                until: iam.deadline
            )
            _ = try await iam.client.call(
                "PutRolePolicy",
                [("RoleName", "deploy"), ("PolicyName", "s3"), ("PolicyDocument", Self.readOnly)],
                until: iam.deadline
            )
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
            let trust =
                #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#
            let everything = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
            _ = try await iam.client.call(
                "CreateRole",
                [("RoleName", "broker"), ("AssumeRolePolicyDocument", trust)],
                until: iam.deadline
            )
            _ = try await iam.client.call(
                "PutRolePolicy",
                [("RoleName", "broker"), ("PolicyName", "all"), ("PolicyDocument", everything)],
                until: iam.deadline
            )
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
}
