// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import Testing

/// Samples about credentials of AWS.
///
/// Nothing here calls it.
@Suite struct CloudSamples {
    private func mount(on manager: LeaseManager) async throws {
        // sample: aws
        let access = try AWSAccess(credentials: AWSCredentialsSource.chain(), region: "eu-central-1")
        let users = try IAMUserBackend(
            access,
            roles: [
                "s3-reader": IAMUserRole(
                    policyDocument: """
                        {"Version": "2012-10-17", "Statement": [
                            {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}
                        ]}
                        """,
                    limits: TTLLimits(ttl: .seconds(3_600), maximum: .seconds(86_400))
                )
            ]
        )
        let sessions = try STSBackend(
            access,
            roles: [
                "deploy": .assumedRole(
                    "arn:aws:iam::123456789012:role/deploy",
                    limits: TTLLimits(ttl: .seconds(3_600), maximum: .seconds(14_400))
                )
            ]
        )
        let keys = try await manager.mount(users, at: "aws")
        let tokens = try await manager.mount(sessions, at: "sts")
        // end sample
        _ = (keys, tokens)
    }

    private func revocable(_ access: AWSAccess) async throws {
        // sample: aws-denial
        var deploy = STSRole.assumedRole("arn:aws:iam::123456789012:role/deploy")
        deploy.revocation = .byDenial
        let sessions = try STSBackend(access, roles: ["deploy": deploy])
        for role in try await sessions.preflight() where !role.isAvailable { print(role) }
        // end sample
    }

    @Test func anEmulatorHasAnAddressOfItsOwn() throws {
        // sample: aws-local
        let local = try AWSAccess(
            credentials: StaticAWSCredentials(accessKeyID: "AKIA…", secretAccessKey: SecretText("…")),
            region: "us-east-1",
            endpoints: .all(at: "http://127.0.0.1:5000")
        )
        // end sample
        #expect(local.region == "us-east-1")
    }
}
