// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One random run: the same operations on a store and on the model.
final class ModelRun {
    let store: any LeaseStore
    var model = LeaseModel()
    var random: SeededGenerator
    var findings = Findings()
    var now = LeaseInstant(secondsSinceEpoch: 1_800_000_000)
    var incarnation: Incarnation
    var mounts: [MountRegistration] = []
    /// Every lease that was ever inserted, and some that were refused.
    var known: [LeaseID] = []
    private var steps = 0
    private var operation: UInt64

    init(_ store: any LeaseStore, seed: UInt64) async throws {
        self.store = store
        random = SeededGenerator(seed: seed)
        operation = seed << 20
        incarnation = try await store.open(at: Self.reading(now)).incarnation
        for path in ["a", "d"] {
            mounts.append(try await store.register(path: path, kind: "test", context(.requested)).value)
        }
    }

    static func reading(_ now: LeaseInstant) -> TimeReading {
        let elapsed = now - LeaseInstant(secondsSinceEpoch: 1_700_000_000)
        return TimeReading(wall: now, continuous: elapsed, suspending: elapsed, bootID: "boot")
    }

    func context(_ reason: LeaseCause.Reason) -> StoreContext {
        operation += 1
        return StoreContext(now: now, operation: operation, incarnation: incarnation, cause: LeaseCause(reason))
    }

    func oneIn(_ count: UInt64) -> Bool { random.next() % count == 0 }

    /// Does one random thing, and compares.
    func step() async throws {
        steps += 1
        if !oneIn(3) { now = now + .milliseconds(Int64(random.next() % 6_000)) }
        switch random.next() % 100 {
        case 0..<58: try await change()
        case 58..<72: try await claim()
        case 72..<79: try await place()
        case 79..<91: try await expand()
        case 91..<93: try await reopenOrder()
        case 93: try await reopenStore()
        default: try await read()
        }
        try await compare()
    }

    func begin(_ what: String) { findings.rule = "step \(steps), \(what)" }

    // MARK: - Writing

    private func change() async throws {
        let change = randomChange()
        begin("\(change)")
        let context = context(.requested)
        var isUnknown = false
        var outcome: LeaseChangeOutcome?
        do {
            outcome = try await store.apply([change], context).value.first
        } catch let error as StoreError {
            if error.kind != .unknown { return }
            isUnknown = true
        }
        if isUnknown {
            // The record tells: by its operation, or by being gone after a removal.
            let seen = try await store.find([change.lease]).value[0]
            var copy = model
            let expected = copy.apply(change, sequence: seen?.sequence, context)
            let isDone = seen.map { $0.operation == context.operation } ?? change.isRemoval
            if isDone || expected.record != nil {
                findings.expect(isDone, "the operation's id on the record", "operation \(seen?.operation ?? 0)")
                model = copy
            }
            return
        }
        let expected = model.apply(change, sequence: outcome?.record?.sequence, context)
        compare(outcome, expected)
    }

    private func compare(_ outcome: LeaseChangeOutcome?, _ expected: LeaseChangeOutcome) {
        switch (outcome, expected) {
        case (.applied(let seen), .applied(let record)):
            if let difference = seen.difference(from: record) { findings.note("the record as ruled", difference) }
        case (.refused(let seen), .refused(let refusal)):
            findings.expect(seen.agrees(with: refusal), "refusal \(refusal)", "\(seen)")
        case (let seen, .refused(let refusal)):
            findings.note("refusal \(refusal)", seen == nil ? "no answer" : "it was applied")
        case (let seen, .applied):
            findings.note("it to be applied", seen?.refusal.map { "\($0)" } ?? "no answer")
        }
    }

    private func claim() async throws {
        let request = ClaimRequest(
            mount: mounts[Int(random.next() % 2)].id,
            room: Int(random.next() % 4),
            scope: oneIn(4) ? .ordered : .everything,
            lapsesAt: now + .seconds(5)
        )
        begin("claimDue \(request.mount) room \(request.room) \(request.scope)")
        let context = context(.expired)
        var handed: [LeaseRecord]
        do {
            let claimed = try await store.claimDue(request, context).value
            for claim in claimed {
                let hasChildren = model.tree.hasChildren(claim.record.id)
                findings.expectEqual(claim.hasChildren, hasChildren, "hasChildren of \(claim.record.id)")
                let wasActive = model.records[claim.record.id]?.state == .active
                findings.expectEqual(claim.hasJustExpired, wasActive, "hasJustExpired of \(claim.record.id)")
            }
            handed = claimed.map(\.record)
        } catch let error as StoreError {
            if error.kind != .unknown { return }
            handed = try await store.find(known).value.compactMap { $0 }
                .filter { $0.operation == context.operation && $0.claim != nil }
        }
        findings.expect(handed.count <= request.room, "at most \(request.room) leases", "\(handed.count)")
        for problem in model.claim(handed, request, context) { findings.note("due leases alone", problem) }
        for seen in handed {
            guard let record = model.records[seen.id], let difference = seen.difference(from: record) else { continue }
            findings.note("the record as ruled", difference)
        }
    }

    private func place() async throws {
        let order = randomOrder()
        let claimUntil = oneIn(2) ? now + .seconds(5) : nil
        begin("place \(order.selection)\(order.isClosing ? ", closing" : "")")
        let context = context(.requested)
        var placement: OrderPlacement?
        do {
            placement = try await store.place(order, claimUntil: claimUntil, context).value
        } catch let error as StoreError {
            if error.kind != .unknown { return }
            // Not there: it was refused, and the model has to agree.
            if let placed = try await store.orders([order.id]).value[0] { placement = OrderPlacement(order: placed) }
            if let root = order.selection.root, let record = try await store.find([root]).value[0] {
                let isMine = record.operation == context.operation && record.claim != model.records[root]?.claim
                placement?.claimed = isMine ? ClaimedLease(record: record, hasChildren: false) : nil
            }
        }
        let isNew = model.order(order.id) == nil
        let expected = model.place(
            order,
            cutoff: placement?.order.cutoff ?? 0,
            claim: placement?.claimed?.record.claim,
            claimUntil: claimUntil,
            context
        )
        guard let placement else {
            findings.expect(expected.refusal != nil, "the order to be known", "no such order")
            return
        }
        findings.expectEqual(placement.refusal, expected.refusal, "refusal")
        if expected.refusal == nil { findings.expectEqual(placement.order, expected.order, "order") }
        findings.expectEqual(placement.claimed?.record.id, expected.claimed?.record.id, "claimed")
        let newest = model.records.values.map(\.sequence).max() ?? 0
        let isCutRight = placement.order.cutoff >= newest || !isNew || expected.refusal != nil
        findings.expect(isCutRight, "a cut-off of \(newest)", "\(placement.order.cutoff)")
    }

    private func expand() async throws {
        let open = model.orders.filter { !$0.progress.isExpanded }
        guard let order = open.randomElement(using: &random) ?? model.orders.last else { return }
        let limit = 1 + Int(random.next() % 4)
        begin("expand \(order.selection) limit \(limit)")
        let context = context(.requested)
        var isKnownDone = true
        do {
            _ = try await store.expand(order.id, limit: limit, context)
        } catch let error as StoreError {
            isKnownDone = error.kind == .unknown
        }
        let after = try await store.orders([order.id]).value[0]
        let covered = try await store.find(known).value.compactMap { $0 }.filter { record in
            record.orders.contains(order.id) && !(model.records[record.id]?.orders.contains(order.id) ?? true)
        }
        findings.expect(isKnownDone || covered.isEmpty, "nothing done", "leases covered")
        let problems = model.expand(
            order.id,
            covered: covered.map(\.id),
            isExpanded: after?.progress.isExpanded ?? order.progress.isExpanded,
            limit: limit,
            context
        )
        for problem in problems { findings.note("what the order is about", problem) }
    }

    private func reopenOrder() async throws {
        guard let order = model.orders.randomElement(using: &random) else { return }
        begin("reopen \(order.id)")
        let reply = try await store.reopen(order.id, context(.requested)).value
        findings.expectEqual(reply, model.reopen(order.id), "an answer of")
    }

    private func reopenStore() async throws {
        begin("open again")
        let opening = try await store.open(at: Self.reading(now))
        findings.expect(opening.incarnation > incarnation, "a later incarnation", "\(opening.incarnation)")
        incarnation = opening.incarnation
        if store.traits.isExclusive { model.void(at: now) }
    }
}

extension LeaseChange {
    fileprivate var isRemoval: Bool {
        if case .update(_, .remove) = self { true } else { false }
    }
}
