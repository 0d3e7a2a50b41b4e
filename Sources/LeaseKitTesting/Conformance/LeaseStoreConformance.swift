// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// The rules that every lease store obeys, as a suite that a store's author runs in their own tests.
///
/// ```swift
/// @Test(arguments: 1...3 as ClosedRange<UInt64>) func conforms(seed: UInt64) async throws {
///     try await LeaseStoreConformance { try await MyStore.empty() }.run(seed: seed)
/// }
/// ```
///
/// Three parts: scripted rules, one check each; a random run against a reference model; and the same run with calls that
/// fail before or after they were done. It throws ``ConformanceFailure`` with everything that was wrong.
public struct LeaseStoreConformance: Sendable {
    private let makeStore: @Sendable () async throws -> any LeaseStore

    /// Makes a suite for the stores that a closure makes, each of them empty.
    public init(makeStore: @escaping @Sendable () async throws -> any LeaseStore) {
        self.makeStore = makeStore
    }

    /// The names of the scripted rules.
    public static var ruleNames: [String] { ConformanceRule.all.map(\.name) }

    /// Runs everything.
    ///
    /// - Throws: ``ConformanceFailure``, or whatever `makeStore` or the store throws out of turn.
    public func run(seed: UInt64 = 1, operations: Int = 400) async throws {
        try await runRules()
        try await runModel(seed: seed, operations: operations)
        try await runModel(seed: seed, operations: operations, withFaults: true)
    }

    /// Runs the scripted rules, each on a store of its own.
    public func runRules() async throws {
        var violations: [ConformanceFailure.Violation] = []
        for rule in ConformanceRule.all {
            let bench = try await ConformanceBench(makeStore(), rule: rule.name)
            do {
                try await rule.check(bench)
            } catch {
                bench.findings.note("no error", "\(error)")
            }
            violations += bench.findings.violations
            await bench.store.close(bench.opening.incarnation)
        }
        if !violations.isEmpty { throw ConformanceFailure(seed: nil, violations: violations) }
    }

    /// Runs random operations on the store and on the model, and compares replies and contents after each.
    ///
    /// With faults, one writing call in five fails before it is done, or after; the record's operation then has to tell.
    public func runModel(seed: UInt64, operations: Int, withFaults: Bool = false) async throws {
        var store = try await makeStore()
        if withFaults { store = FaultyLeaseStore(store, plan: StoreFault.random(seed: seed)) }
        let run = try await ModelRun(store, seed: seed)
        for _ in 0..<operations where run.findings.violations.isEmpty {
            try await run.step()
        }
        await store.close(run.incarnation)
        if !run.findings.violations.isEmpty {
            throw ConformanceFailure(seed: seed, violations: run.findings.violations)
        }
    }
}

extension StoreFault {
    /// A plan that has one in five of the calls that change leases or orders fail.
    static func random(seed: UInt64) -> @Sendable (StoreCall) -> StoreFault? {
        { call in
            switch call.kind {
            case .apply, .place, .expand, .claimDue: break
            default: return nil
            }
            var generator = SeededGenerator(seed: seed &+ UInt64(call.index) &* 0x9E37_79B9)
            switch generator.next() % 10 {
            case 0: return .unavailable
            case 1: return .unknown
            default: return nil
            }
        }
    }
}
