// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS

/// Users of IAM are issued and revoked at an emulator, beside botocore with the same calls.
func measureCloudUsers(_ scale: Scale) async throws -> [Measurement] {
    guard let emulator = try Emulator() else {
        complain("the group aws needs botocore and moto: start it with Examples/run, which installs them")
        return []
    }
    defer { emulator.stop() }
    let transport = CountingTransport()
    let key = StaticAWSCredentials(accessKeyID: "any", secretAccessKey: SecretText("any"))
    let access = try AWSAccess(
        credentials: key,
        region: "us-east-1",
        endpoints: .all(at: emulator.address),
        transport: transport
    )
    let document = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#
    let backend = try IAMUserBackend(access, roles: ["app": IAMUserRole(policyDocument: document)])
    return try await withLeaseManager { manager in
        let users = try await manager.mount(backend, at: "aws")
        var rows: [Measurement] = []
        for callers in [1, 16] {
            let rounds = 10 * callers
            let base = try emulator.measure(callers: callers, rounds: rounds)
            let before = transport.count
            var leases: [LeaseID] = []
            let issuing = try await nanoseconds {
                leases = try await together(callers, rounds) { _ in try await users.issue("app").id }
            }
            let between = transport.count
            let issued = leases
            let revoking = try await nanoseconds {
                _ = try await together(callers, rounds) { try await users.revoke(issued[$0]).isComplete }
            }
            let name = callers == 1 ? "one caller" : "\(callers) callers"
            let count = Double(rounds)
            rows += [
                Measurement("user issued, \(name)", issuing / count / 1e6, "ms", baseline: base.issue * 1e3),
                Measurement("user revoked, \(name)", revoking / count / 1e6, "ms", baseline: base.revoke * 1e3),
            ]
            if callers == 1 {
                // The role has one attachment.
                rows += [
                    Measurement("calls an issue", Double(between - before) / count, "calls", target: 5),
                    Measurement("calls a revocation", Double(transport.count - between) / count, "calls", target: 5),
                ]
            }
        }
        return rows
    }
}

/// Runs work for the numbers up to `count`, some at a time, and answers in their order.
private func together<Value: Sendable>(
    _ callers: Int,
    _ count: Int,
    _ work: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        var (next, values) = (0, [Int: Value]())
        while next < min(callers, count) {
            group.addTask { [next] in (next, try await work(next)) }
            next += 1
        }
        while let (number, value) = try await group.next() {
            values[number] = value
            if next < count {
                group.addTask { [next] in (next, try await work(next)) }
                next += 1
            }
        }
        return (0..<count).compactMap { values[$0] }
    }
}
