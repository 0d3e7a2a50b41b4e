// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension ModelRun {
    private static let paths = ["a", "a/b", "a/b/c", "a/bc", "a/b-c", "d/e", "d"]
    private static let owners = ["ann", "bob"]
    private static let failure = LeaseFailure(code: "test", message: "made up")

    /// A lease: mostly one that is there, mostly a recent one.
    private func randomLease(_ isWanted: (LeaseRecord) -> Bool = { _ in true }) -> LeaseID? {
        if oneIn(40) { return known.randomElement(using: &random) }
        let wanted = model.records.values.filter(isWanted).sorted { $0.sequence < $1.sequence }
        return (oneIn(2) ? wanted.suffix(8)[...] : wanted[...]).randomElement(using: &random)?.id
    }

    func randomChange() -> LeaseChange {
        let kind = random.next() % 100
        if kind < 22 && model.records.count < 40 { return .insert(randomInsertion()) }
        if kind < 42, let id = randomLease({ $0.state == .pending }), let record = model.records[id] {
            return .update(id, .activate(randomActivation(record)))
        }
        if kind < 62, let id = randomLease({ $0.state == .active }), let record = model.records[id] {
            return .update(id, randomUpdateOfActive(record))
        }
        if kind < 88, let id = randomLease({ $0.claim != nil }), let record = model.records[id] {
            return .update(id, randomUpdateByWorker(record))
        }
        guard let id = randomLease() else { return .insert(randomInsertion()) }
        switch random.next() % 6 {
        case 0: return .update(id, .rearm)
        case 1: return .update(id, .remove(nil, oneIn(4) ? .revoked : .abandoned))
        case 2: return .update(id, .quarantine(nil, Self.failure))
        case 3: return .update(id, .consumeUse)
        case 4: return .update(id, .detach)
        default:
            let handOver = LeaseHandOver(handle: oneIn(2) ? [7] : nil, mayBeInFlight: oneIn(2), failure: Self.failure)
            return .update(id, .handOver(handOver))
        }
    }

    private func randomInsertion() -> LeaseInsertion {
        var id = LeaseID(high: random.next(), low: random.next())
        if oneIn(25), let old = known.randomElement(using: &random) { id = old }
        if !known.contains(id) { known.append(id) }
        let path = Self.paths[Int(random.next() % UInt64(Self.paths.count))]
        var insertion = LeaseInsertion(
            id: id,
            mount: mounts[oneIn(12) || path.hasPrefix("d") ? 1 : 0].id,
            path: path,
            handle: [1, 2],
            issuedAt: now,
            expiresAt: now + .seconds(Int64(10 + random.next() % 60)),
            deadline: now + .seconds(oneIn(20) ? -1 : 12)
        )
        insertion.kind = oneIn(5) ? .session : .credential
        insertion.isRenewable = oneIn(2)
        if oneIn(3) { insertion.role = Array("role \(random.next() % 3)".utf8) }
        if oneIn(2), let parent = randomLease({ $0.state == .active }) {
            insertion.parent = parent
            insertion.needsParent = oneIn(6)
            insertion.bindsToParent = !oneIn(4)
            if let end = model.records[parent]?.expiresAt, !oneIn(8) {
                insertion.expiresAt = min(insertion.expiresAt, end)
            }
        }
        if oneIn(3) { insertion.fields.owner = Self.owners[Int(random.next() % 2)] }
        if oneIn(6) { insertion.fields.requestID = "request \(random.next() % 12)" }
        if oneIn(6) { insertion.fields.usesLeft = UInt32(1 + random.next() % 3) }
        if oneIn(6) { insertion.fields.labels = ["tier": "gold"] }
        if oneIn(6) { insertion.quotas = LeaseQuotas(perMount: 25, perPath: 8, perParent: 3, perOwner: 6) }
        return insertion
    }

    private func randomActivation(_ record: LeaseRecord) -> LeaseActivation {
        LeaseActivation(
            handle: [3, 4, 5],
            expiresAt: oneIn(12) ? record.expiresAt + .seconds(30) : record.expiresAt,
            generation: record.generation + (oneIn(20) ? 1 : 0)
        )
    }

    private func randomUpdateOfActive(_ record: LeaseRecord) -> LeaseUpdate {
        switch random.next() % 10 {
        case 0: return .doubt(handle: oneIn(2) ? [9] : nil, isAmbiguous: oneIn(2))
        case 1, 2: return .consumeUse
        case 3: return .detach
        default:
            return .extend(
                LeaseExtension(
                    expiresAt: now + .seconds(Int64(random.next() % 60)),
                    handle: oneIn(3) ? [6] : nil,
                    generation: record.generation - (oneIn(20) ? 1 : 0),
                    mayShorten: oneIn(3),
                    needsConfirmation: oneIn(4)
                )
            )
        }
    }

    private func randomUpdateByWorker(_ record: LeaseRecord) -> LeaseUpdate {
        var claim = record.claim ?? LeaseClaim(rawValue: 1)
        if oneIn(15) { claim = LeaseClaim(rawValue: claim.rawValue + 1) }
        let later = now + .seconds(Int64(1 + random.next() % 10))
        switch random.next() % 10 {
        case 0, 1: return .attempt(claim, Self.failure, due: later, isStuck: oneIn(2))
        case 2: return .release(claim, due: later)
        case 3: return .settle(claim, due: later)
        case 4: return .end(claim, until: later)
        case 5: return .quarantine(claim, Self.failure)
        default: return .remove(claim, LeaseOutcome.allCases.randomElement(using: &random) ?? .revoked)
        }
    }

    func randomOrder() -> RevocationOrder {
        if oneIn(10), let known = model.orders.randomElement(using: &random) { return known }
        let selection: LeaseSelection
        switch random.next() % 10 {
        case 0..<3: selection = .lease(randomLease() ?? LeaseID(high: 1, low: 1))
        case 3..<6: selection = .tree(randomLease { model.tree.hasChildren($0.id) } ?? LeaseID(high: 1, low: 2))
        case 6..<9: selection = .prefix(Self.paths[Int(random.next() % UInt64(Self.paths.count))])
        default: selection = .mount(mounts[Int(random.next() % 2)].id)
        }
        var order = RevocationOrder(
            id: RevocationOrderID(rawValue: random.next() | 1),
            selection: selection,
            cause: LeaseCause(.requested, actor: "the run"),
            urgency: oneIn(4) ? .expiry : .ordered,
            isClosing: oneIn(4),
            patience: .seconds(4),
            placedAt: now
        )
        if oneIn(6) { order.mount = mounts[Int(random.next() % 2)].id }
        return order
    }
}
