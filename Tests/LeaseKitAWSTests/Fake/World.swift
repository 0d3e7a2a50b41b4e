// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import LeaseKitTesting

/// A fake account in virtual time, and short ways to work with it.
struct World: Sendable {
    let time = VirtualTime()
    let executor: SeededExecutor
    let aws: FakeAWS

    /// `offset` is how far the account's clock is ahead of this machine's.
    init(seed: UInt64 = 1, offset: Duration = .zero, lag: Duration = .zero, pageSize: Int = 100) {
        executor = SeededExecutor(seed: seed, time: time)
        aws = FakeAWS(time, offset: offset, lag: lag, pageSize: pageSize)
    }

    func drive(_ body: @escaping @Sendable () async throws -> Void) throws { try executor.drive { try await body() } }

    func access(
        _ transport: (any AWSTransport)? = nil,
        as credentials: AWSCredentials? = nil,
        time: (any LeaseTime)? = nil,
        birth: UInt64 = 5
    ) throws -> AWSAccess {
        try AWSAccess(
            credentials: StaticAWSCredentials(
                credentials ?? AWSCredentials(accessKeyID: "AKIAROOT", secretAccessKey: SecretText("root-secret"))
            ),
            region: "eu-west-1",
            transport: transport ?? aws,
            time: time ?? self.time,
            entropy: .seeded(birth)
        )
    }

    static let document =
        #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#
    static let managed = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"

    static let roles: [String: IAMUserRole] = [
        "app": IAMUserRole(policyDocument: document, limits: TTLLimits(ttl: .seconds(600), maximum: .seconds(3_600))),
        "full": IAMUserRole(
            policyDocument: document,
            policyARNs: [managed, "arn:aws:iam::123456789012:policy/own"],
            groups: ["readers"],
            permissionsBoundaryARN: "arn:aws:iam::123456789012:policy/own",
            tags: ["team": "billing"],
            path: "/apps/",
            limits: TTLLimits(ttl: .seconds(600), maximum: .seconds(3_600))
        ),
    ]

    func users(
        _ transport: (any AWSTransport)? = nil,
        options: IAMUserOptions = IAMUserOptions(),
        time: (any LeaseTime)? = nil
    ) throws -> IAMUserBackend {
        aws.change { $0.groups["readers"] = [:] }
        return try IAMUserBackend(access(transport, time: time), roles: Self.roles, options: options)
    }

    static let deploy = "arn:aws:iam::123456789012:role/deploy"

    /// A backend whose sessions can be revoked; `birth` tells processes apart.
    func sessions(
        _ transport: (any AWSTransport)? = nil,
        of arn: String = World.deploy,
        bounds: STSRole.Bounds = .fail,
        time: (any LeaseTime)? = nil,
        birth: UInt64 = 5
    ) throws -> STSBackend {
        var role = STSRole.assumedRole(arn, limits: TTLLimits(maximum: .seconds(14_400)))
        role.revocation = .byDenial
        role.bounds = bounds
        return try STSBackend(access(transport, time: time, birth: birth), roles: ["deploy": role])
    }

    func call(
        _ number: UInt64 = 1,
        role: String = "app",
        backend: IAMUserBackend? = nil,
        expiresIn: Duration = .seconds(600),
        timeout: Duration = .seconds(60)
    ) throws -> BackendCall {
        let now = time.read().wall
        let id = LeaseID(high: 7, low: number)
        return BackendCall(
            id: id,
            path: "aws/creds/\(role)",
            rolePath: "creds/\(role)",
            mark: LeaseMark(deployment: "ours", lease: id, epoch: 1),
            now: now,
            expiresAt: now + expiresIn,
            deadline: now + timeout,
            role: try backend?.roleVersion(at: "creds/\(role)") ?? []
        )
    }
}

extension BackendFailure.Scope {
    var isTarget: Bool { self == .target }
}
