// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CAllocations
import LeaseKit
import LeaseKitTesting
import Synchronization

/// The holder's side: what a pool reads, what a kept lease costs, and how a restart goes.
func measureRenewal(_ scale: Scale) async throws -> [Measurement] {
    var measurements = try schedulerCosts(scale)
    measurements += try await currentCost(scale)
    measurements.append(try restartBurst())
    return measurements
}

/// What it costs to read the credential that a pool opens its next connection with.
private func currentCost(_ scale: Scale) async throws -> [Measurement] {
    let world = try await World()
    let scheduler = RenewalScheduler(configuration: .init(shutdownBudget: .zero))
    return try await world.running { world in
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            let credential = RotatingCredential(0, through: LeaseRoute(world.mount), on: scheduler)
            _ = try await credential.get()
            let count = 100_000
            var (costs, raw) = ([Double](), [Double]())
            let box = Mutex<Held?>(Held(number: 1))
            var allocations = UInt.max
            for _ in 0..<scale.rounds * 3 {
                var seen: UInt64 = 0
                // Measured in one synchronous piece, so that the thread stays the same.
                let (cost, allocated) = readManyTimes(credential, count, &seen)
                costs.append(cost / Double(count))
                allocations = min(allocations, allocated)
                raw.append(readManyTimes(box, count, &seen) / Double(count))
                precondition(seen > 0, "nothing was read")
            }
            scheduler.beginShutdown()
            try await group.waitForAll()
            return [
                Measurement("current", median(costs), "ns", baseline: median(raw), target: 50),
                Measurement("current: allocations in \(text(of: count)) reads", Double(allocations), "", target: 0),
            ]
        }
    }
}

private func readManyTimes(
    _ credential: RotatingCredential<Void>,
    _ count: Int,
    _ seen: inout UInt64
) -> (nanoseconds: Double, allocations: UInt) {
    let (start, before) = (ContinuousClock.now, allocations_of_this_thread())
    for _ in 0..<count { seen &+= readCurrent(credential) }
    return ((ContinuousClock.now - start).nanoseconds, allocations_of_this_thread() - before)
}

/// Synchronous: it cannot wait.
@inline(never)
private func readCurrent(_ credential: RotatingCredential<Void>) -> UInt64 {
    credential.current?.generation.rawValue ?? 0
}

/// What the baseline reads: as much as a reader needs, and nothing that says whether it is still good.
private final class Held: Sendable {
    let number: UInt64
    init(number: UInt64) { self.number = number }
}

/// The raw baseline: a lock around a reference, which is copied out.
private func readManyTimes(_ box: borrowing Mutex<Held?>, _ count: Int, _ seen: inout UInt64) -> Double {
    let start = ContinuousClock.now
    for _ in 0..<count { seen &+= readRaw(box) }
    return (ContinuousClock.now - start).nanoseconds
}

@inline(never)
private func readRaw(_ box: borrowing Mutex<Held?>) -> UInt64 {
    box.withLock { $0 }?.number ?? 0
}

/// A lease that is kept, renewed out of turn and let go, among many; and what each one weighs.
private func schedulerCosts(_ scale: Scale) throws -> [Measurement] {
    let size = scale.largest
    let source = IdleSource()
    let route = LeaseRoute<Void, Void>(source)
    let scheduler = RenewalScheduler()
    let now = source.time.read().continuous
    let before = residentBytes()
    var kept: [KeptLease] = []
    kept.reserveCapacity(size)
    let names = residentBytes() - before
    for number in 0..<size {
        kept.append(
            scheduler.keep(LeaseID(high: 1, low: UInt64(number)), validUntil: now + .seconds(3_600), through: route)
        )
    }
    // What the caller keeps to name them is not the scheduler's.
    let handles = size * MemoryLayout<KeptLease>.stride
    let grown = residentBytes() - before - names - handles
    var places = Places()
    var costs: [Double] = []
    for _ in 0..<scale.rounds * 30 {
        let drawn = places.draw(500, below: size)
        let start = ContinuousClock.now
        for place in drawn {
            kept[place].renewNow()
            kept[place].release()
            kept[place] = scheduler.keep(
                LeaseID(high: 2, low: UInt64(place)),
                validUntil: now + .seconds(3_600),
                through: route
            )
        }
        costs.append((ContinuousClock.now - start).nanoseconds / Double(drawn.count * 3))
    }
    return [
        Measurement(
            "a kept lease at \(text(of: size))",
            Double(grown) / Double(size),
            "bytes",
            target: scale.hasTargets(at: size) ? 200 : nil
        ),
        Measurement(
            "scheduler operation at \(text(of: size))",
            median(costs),
            "ns",
            target: scale.hasTargets(at: size) ? 1_500 : nil
        ),
    ]
}

/// The most renewals in one second of the first minute after a restart that finds 100,000 leases nearly due.
private func restartBurst() throws -> Measurement {
    let rate = 1_000.0
    let time = VirtualTime()
    let executor = SeededExecutor(seed: 1, time: time, maximumPicks: .max)
    let source = IdleSource(time: time)
    let limit = RateLimit(callsPerSecond: rate, burst: 1)
    let scheduler = RenewalScheduler(configuration: .init(rate: limit, executor: executor), time: time)
    let route = LeaseRoute<Void, Void>(source)
    try executor.drive(timeLimit: .seconds(3_600)) {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            for number in 0..<100_000 {
                scheduler.keep(LeaseID(high: 1, low: UInt64(number)), validUntil: .seconds(60), through: route)
            }
            try await time.sleep(for: .seconds(60))
            scheduler.beginShutdown()
            try await group.waitForAll()
        }
    }
    let most = source.seconds.withLock { $0.values.max() ?? 0 }
    return Measurement("restart with 100 k: most renewals a second", Double(most), "", baseline: rate, target: rate + 1)
}

/// A broker that grants an hour to everybody, and counts.
private final class IdleSource: LeaseSource {
    let time: any LeaseTime
    let seconds = Mutex<[Int64: Int]>([:])

    init(time: any LeaseTime = SystemTime()) { self.time = time }

    func issue(_ request: Void, _ options: IssueOptions) async throws -> Lease<Void> {
        throw LeaseError(.abilityMissing, "this source only renews")
    }

    func renew(_ id: LeaseID, _ options: RenewOptions) async throws -> RenewalOutcome {
        let now = time.read()
        seconds.withLock { $0[now.continuous.components.seconds, default: 0] += 1 }
        return RenewalOutcome(
            expiresAt: now.wall + .seconds(3_600),
            validUntil: now.continuous + .seconds(3_600),
            granted: .seconds(3_600),
            asked: nil,
            boundBy: .role,
            leftToMaximum: nil,
            warnings: []
        )
    }

    func revoke(_ id: LeaseID, _ options: RevokeOptions) async throws -> RevocationReport {
        RevocationReport(order: RevocationOrderID(rawValue: 1))
    }
}
