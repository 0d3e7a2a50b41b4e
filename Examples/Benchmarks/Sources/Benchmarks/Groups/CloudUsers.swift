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
        // The first call of all asks whose the key is; it is nobody's issue.
        _ = try await users.revoke(users.issue("app").id)
        for callers in [1, 16] {
            let count = 4 * callers
            var (issues, revocations): ([Double], [Double]) = ([], [])
            var (base, calls): ([(issue: Double, revoke: Double)], (issue: Int, revoke: Int)) = ([], (0, 0))
            // In turns, so that both have the same share of what else the machine does.
            for _ in 0..<scale.rounds {
                base.append(try emulator.measure(callers: callers, rounds: count))
                let before = transport.count
                var leases: [LeaseID] = []
                issues.append(
                    try await nanoseconds {
                        leases = try await together(callers, count) { _ in try await users.issue("app").id }
                    } / Double(count)
                )
                let (between, issued) = (transport.count, leases)
                revocations.append(
                    try await nanoseconds {
                        _ = try await together(callers, count) { try await users.revoke(issued[$0]).isComplete }
                    } / Double(count)
                )
                calls = (calls.issue + between - before, calls.revoke + transport.count - between)
            }
            let name = callers == 1 ? "one caller" : "\(callers) callers"
            let (issue, revoke) = (median(base.map(\.issue)), median(base.map(\.revoke)))
            rows += [
                Measurement("user issued, \(name)", median(issues) / 1e6, "ms", baseline: issue * 1e3),
                Measurement("user revoked, \(name)", median(revocations) / 1e6, "ms", baseline: revoke * 1e3),
            ]
            if callers == 1 {
                let all = Double(scale.rounds * count)
                // The role has one attachment.
                rows += [
                    Measurement("calls an issue", Double(calls.issue) / all, "calls", target: 5),
                    Measurement("calls a revocation", Double(calls.revoke) / all, "calls", target: 5),
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
