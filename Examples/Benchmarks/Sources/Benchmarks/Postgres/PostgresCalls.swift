// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres

/// Issue, renew and revoke at one number of callers: over the in-memory store, which adds next to nothing, and over the durable one.
struct PostgresCalls {
    let server: BenchServer
    let raw: RawPostgres
    let callers: Int
    let syncs: Bool

    func measure(iterations: Int, count: Int) async throws -> [Measurement] {
        let label = "\(callers) callers, \(iterations) iterations, fsync \(syncs ? "on" : "off")"
        let count = max(1, count / callers) * callers
        let plain = Rates(raw, iterations: iterations, count, callers: callers, isPrepared: false)
        let prepared = Rates(raw, iterations: iterations, count, callers: callers, isPrepared: true)
        let volatile = try await rates(iterations, count, isDurable: false)
        let durable = try await rates(iterations, count, isDurable: true)
        var measurements: [Measurement] = []
        for operation in Operation.allCases {
            let name = "Postgres: \(operation.rawValue), \(label)"
            let (ours, base) = (volatile[operation], plain[operation])
            let target: Double? =
                switch operation {
                case .issue: iterations == 1 ? base.wall + 250 : base.wall / 0.85
                case .renew: base.wall / 0.8
                case .revoke: base.wall / 0.7
                }
            measurements += [
                Measurement(name, ours.wall, "µs", baseline: base.wall, target: target),
                Measurement(
                    "\(name), against prepared statements",
                    ours.wall,
                    "µs",
                    baseline: prepared[operation].wall
                ),
                Measurement(
                    "\(name), durable store",
                    durable[operation].wall,
                    "µs",
                    baseline: base.wall,
                    target: operation == .issue && iterations == 1 ? base.wall + 250 : nil
                ),
                Measurement("\(name), our processor time", ours.own, "µs", baseline: base.own),
                Measurement("\(name), the server's processor time", ours.server, "µs", baseline: base.server),
            ]
        }
        measurements.append(
            Measurement("Postgres: the server's processors while issuing, \(label)", volatile.share, "CPUs")
        )
        return measurements
    }

    private func rates(_ iterations: Int, _ count: Int, isDurable: Bool) async throws -> Rates {
        let role = PostgresRole(.memberOf("readers"), ttl: .seconds(3_600), iterations: iterations)
        return try await world(server, connections: min(callers, 16), roles: ["app": role], isDurable: isDurable) {
            _,
            mount in
            // The connections are there before the clock runs, as the baseline's are.
            for lease in try await issue(callers, mount) { _ = try await mount.revoke(lease) }
            let leases = LeaseList(count)
            let issued = try await cost(count) { leases.set($0, try await mount.issue("app").id) }
            let renewed = try await cost(count) { _ = try await mount.renew(leases[$0]) }
            let revoked = try await cost(count) { _ = try await mount.revoke(leases[$0]) }
            return Rates(issue: issued, renew: renewed, revoke: revoked)
        }
    }

    private func cost(_ count: Int, _ operation: @escaping @Sendable (Int) async throws -> Void) async throws -> Cost {
        let meter = Meter(server)
        let wall = try await time(count, callers: callers, operation)
        return meter.cost(of: count, wall: wall)
    }

    private func issue(
        _ count: Int,
        _ mount: Mount<PostgresRequest, PostgresCredential>
    ) async throws -> [LeaseID] {
        try await withThrowingTaskGroup(of: LeaseID.self) { group in
            for _ in 0..<count { group.addTask { try await mount.issue("app").id } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

/// What is done with a user.
enum Operation: String, CaseIterable {
    case issue, renew, revoke
}

/// What one operation takes, in microseconds: of time, of our processor time, and of the server's.
struct Cost {
    let wall: Double
    let own: Double
    let server: Double
}

/// The three operations.
struct Rates {
    let issue: Cost
    let renew: Cost
    let revoke: Cost

    subscript(operation: Operation) -> Cost {
        switch operation {
        case .issue: issue
        case .renew: renew
        case .revoke: revoke
        }
    }

    /// How many processors the server used while users were made.
    var share: Double { issue.server / issue.wall }
}

/// Reads the processor times from here on.
struct Meter {
    private let server: BenchServer
    private let own: Double
    private let others: Double

    init(_ server: BenchServer) {
        self.server = server
        (own, others) = (ownProcessorTime(), server.processorTime)
    }

    func cost(of count: Int, wall: Double) -> Cost {
        let scale = 1_000_000 / Double(count)
        return Cost(
            wall: wall,
            own: (ownProcessorTime() - own) * scale,
            server: (server.processorTime - others) * scale
        )
    }
}

extension Rates {
    /// The same by libpq alone.
    fileprivate init(_ raw: RawPostgres, iterations: Int, _ count: Int, callers: Int, isPrepared: Bool) {
        let script = RawScript(iterations: iterations)
        func cost(_ operation: Operation) -> Cost {
            raw.cost(count, callers: callers, isPrepared: isPrepared) { script.statements(operation, $0) }
        }
        self.init(issue: cost(.issue), renew: cost(.renew), revoke: cost(.revoke))
    }
}
