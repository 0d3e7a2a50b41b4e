// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKitTesting

/// What the environment says about simulations.
enum SimulationSettings {
    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    /// How many seeds are run: `LEASEKIT_SIM_SEEDS`.
    static var seeds: Int { number("LEASEKIT_SIM_SEEDS") ?? 100 }
    /// The first of them: `LEASEKIT_SIM_FIRST`.
    static var first: UInt64 { number("LEASEKIT_SIM_FIRST").map { UInt64($0) } ?? 1 }
    /// The one seed to replay: `LEASEKIT_SIM_SEED`.
    static var seed: UInt64? { number("LEASEKIT_SIM_SEED").map { UInt64($0) } }
    /// How many operations each seed makes: `LEASEKIT_SIM_OPERATIONS`.
    static var operations: Int { number("LEASEKIT_SIM_OPERATIONS") ?? 500 }

    static func replay(_ seed: UInt64) -> String {
        "LEASEKIT_SIM_SEED=\(seed) LEASEKIT_SIM_OPERATIONS=\(operations) swift test -c release --filter SimulationTests"
    }

    /// Runs `body` for every seed, on threads of its own, since a simulation blocks the thread that it runs on.
    static func onThreads(_ seeds: [UInt64], _ body: @escaping @Sendable (UInt64) -> Void) async {
        let queue = SeedQueue(seeds)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        let thread = Thread {
                            while let seed = queue.next() { body(seed) }
                            continuation.resume()
                        }
                        thread.stackSize = 8 << 20
                        thread.start()
                    }
                }
            }
        }
    }
}

/// Seeds that several threads take one by one.
final class SeedQueue: @unchecked Sendable {
    private let lock = NSLock()
    private var seeds: ArraySlice<UInt64>

    init(_ seeds: [UInt64]) { self.seeds = seeds[...] }

    func next() -> UInt64? { lock.withLock { seeds.popFirst() } }
}
