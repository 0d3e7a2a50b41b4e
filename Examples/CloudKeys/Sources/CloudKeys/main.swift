// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS

guard CommandLine.arguments.count > 1 else {
    print("usage: CloudKeys ADDRESS, the address of an emulator of AWS such as http://127.0.0.1:5000")
    exitQuietly()
}

let access = try AWSAccess(
    credentials: AWSCredentialsSource.chain(),
    region: "us-east-1",
    endpoints: .all(at: CommandLine.arguments[1])
)
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

try await withLeaseManager { manager in
    let keys = try await manager.mount(users, at: "aws")
    let tokens = try await manager.mount(sessions, at: "sts")

    // A user of its own, with a key that works until the lease ends.
    let key = try await keys.issue("s3-reader")
    print("issued   \(key.secret.accessKeyID), a user's, until \(key.expiresAt)")
    let renewed = try await keys.renew(key.id)
    print("renewed  until \(renewed.expiresAt)")
    let ended = try await keys.revoke(key.id)
    print("revoked  \(ended.revoked), and nothing of it is left")

    // A session of a role, which AWS ends by itself.
    let token = try await tokens.issue("deploy")
    print("issued   \(token.secret.accessKeyID), a session's, until \(token.expiresAt)")
    do {
        _ = try await tokens.renew(token.id)
    } catch {
        print("renewed  not: \(error)")
    }
    let ending = try await tokens.revoke(token.id)
    for lease in ending.remaining { print("revoked  not yet: \(lease.state) until \(lease.due)") }
}
