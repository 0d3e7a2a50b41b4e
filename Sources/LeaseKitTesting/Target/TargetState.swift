// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The table of a target and everything on its way to it.
struct TargetState: Sendable {
    /// What is held under one fingerprint.
    struct Table: Sendable {
        var principals: [String: TargetPrincipal] = [:]
        /// What was ended, and when, for listings that lag behind.
        var ended: [(principal: TargetPrincipal, after: Duration)] = []
    }

    /// A request that has arrived and is not done yet, or is to be done again.
    struct InFlight: Sendable {
        let id: UInt64
        let request: TargetRequest
        let arrivedAt: LeaseInstant
        let table: String
        var due: Duration?
        /// Waits for a revocation of its name that finds nothing, and then for this long.
        var afterRevoke: Duration?
        var isHanging = false
        var isDuplicate = false
        var isAnswered = false
    }

    var fingerprint: String
    var tables: [String: Table]
    var inFlight: [InFlight] = []
    var answers: [UInt64: TargetReply] = [:]
    var waiters: [UInt64: CheckedContinuation<TargetReply?, Never>] = [:]
    var history: [TargetEvent] = []
    var scripts: [TargetOperation: [TargetFault]] = [:]
    var mix = TargetFaultMix()
    var generator: SeededGenerator
    var partitions: [String: TargetPartition] = [:]
    var isLoginBroken = false
    var inventoryLag: Duration = .zero
    var numbers: UInt64 = 0
    /// Defects, for the proof that checkers notice them.
    var ignoresMarks = false
    var listsEverything = false
    /// Whether any deployment counts as this one.
    var ignoresDeployments = false
    /// How long after its arrival a request to make something may still be done; it is dropped later.
    var latestApplication: Duration?
    /// How many requests of each operation have arrived.
    var arrivals: [TargetOperation: Int] = [:]

    init(fingerprint: String, seed: UInt64) {
        self.fingerprint = fingerprint
        tables = [fingerprint: Table()]
        generator = SeededGenerator(seed: seed)
    }

    mutating func draw() -> UInt64 {
        numbers += 1
        return numbers
    }

    mutating func note(
        _ request: TargetRequest,
        _ action: TargetEvent.Action,
        at now: LeaseInstant,
        isLate: Bool = false,
        isDuplicate: Bool = false
    ) {
        history.append(
            TargetEvent(
                operation: request.operation,
                name: request.name,
                mark: request.mark,
                action: action,
                at: now,
                isLate: isLate,
                isDuplicate: isDuplicate
            )
        )
    }

    /// Does everything that is due, in the order in which it is due.
    mutating func settle(_ now: TimeReading) {
        dropStale(now)
        while let next = inFlight.indices.filter({ inFlight[$0].due.map { $0 <= now.continuous } ?? false })
            .min(by: { (inFlight[$0].due ?? .zero, inFlight[$0].id) < (inFlight[$1].due ?? .zero, inFlight[$1].id) })
        {
            let late = inFlight.remove(at: next)
            let reply = apply(
                late.request,
                to: late.table,
                arrivedAt: late.arrivedAt,
                now,
                isLate: true,
                isDuplicate: late.isDuplicate
            )
            if late.isAnswered { answers[late.id] = reply }
        }
    }

    /// Forgets what a target that keeps its promise on settling would not do any more.
    private mutating func dropStale(_ now: TimeReading) {
        guard let latestApplication, !inFlight.isEmpty else { return }
        inFlight.removeAll { late in
            late.request.operation == .issue && late.arrivedAt + latestApplication < now.wall
        }
    }

    /// Whether something may still be done to this name.
    func isInFlight(_ name: String) -> Bool { inFlight.contains { $0.request.name == name } }
}
