// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Writes a verdict down.
    ///
    /// A write that fails or comes too late is harmless: the claim lapses, and it is tried again. One whose answer was lost is
    /// looked into, now or with the next observation, so that what was done is told.
    @discardableResult
    @inline(__always)
    func write(_ verdict: EndingJudge.Verdict, _ record: LeaseRecord, at now: LeaseInstant) async -> LeaseOutcome? {
        let context = ledger.context(record.cause ?? LeaseCause(.expired), at: now)
        let outcome: LeaseChangeOutcome
        do {
            outcome = try await ledger.updateSurely(record.id, verdict.update, context, last: record)
        } catch {
            noteLost([(verdict, record)], context, error)
            return nil
        }
        guard case .applied(let written) = outcome else { return nil }
        tell(verdict, written, context.now)
        if written.isHollow { await hurryParent(of: written, verdict) }
        if written.order != nil && orders.isWatching { await reportFinished(written.orders) }
        return verdict.outcome
    }

    /// Writes many verdicts down: one call to the store for all that have the same cause.
    func write(_ verdicts: [(EndingJudge.Verdict, LeaseRecord)]) async {
        // In the order in which they were met, so that a simulated run repeats.
        var touched: [RevocationOrderID] = []
        for (cause, group) in byCause(verdicts, { $0.1 }) {
            let context = ledger.context(cause)
            let outcomes: [LeaseChangeOutcome?]
            do {
                outcomes = try await ledger.updateSurely(group.map { ($0.1, $0.0.update) }, context)
            } catch {
                noteLost(group, context, error)
                continue
            }
            for ((verdict, _), outcome) in zip(group, outcomes) {
                guard let written = outcome?.record else { continue }
                tell(verdict, written, context.now)
                if written.isHollow { await hurryParent(of: written, verdict) }
                if written.order != nil { touched += written.orders.filter { !touched.contains($0) } }
            }
        }
        if !touched.isEmpty { await reportFinished(touched) }
    }

    /// Puts together what is done for the same reason, on behalf of the same one: a store's audit says so row by row.
    func byCause<Element>(_ all: [Element], _ record: (Element) -> LeaseRecord) -> [(LeaseCause, [Element])] {
        var groups: [(cause: LeaseCause, elements: [Element])] = []
        var places: [LeaseCause: Int] = [:]
        for element in all {
            let cause = record(element).cause ?? LeaseCause(.expired)
            if let last = groups.indices.last, groups[last].cause == cause {
                groups[last].elements.append(element)
            } else if let place = places[cause] {
                groups[place].elements.append(element)
            } else {
                places[cause] = groups.count
                groups.append((cause, [element]))
            }
        }
        return groups.map { ($0.cause, $0.elements) }
    }

    /// Publishes what became of a lease.
    private func tell(_ verdict: EndingJudge.Verdict, _ written: LeaseRecord, _ now: LeaseInstant) {
        if let event = verdict.event { publish(LeaseEvent(event, written, at: now, outcome: verdict.outcome)) }
    }

    /// A lease that is hollow now holds its parent back no more.
    @inline(never)
    private func hurryParent(of written: LeaseRecord, _ verdict: EndingJudge.Verdict) async {
        if verdict.outcome != nil, let parent = written.parent { await hurry(parent) }
    }

    @inline(never)
    private func noteLost(
        _ verdicts: [(EndingJudge.Verdict, LeaseRecord)],
        _ context: StoreContext,
        _ error: any Error
    ) {
        guard (error as? LeaseError)?.code == .storeUnknown else { return }
        lostAnswers.add(verdicts.map { LostAnswer(verdict: $0.0, record: $0.1, context: context) })
    }

    /// Looks into verdicts whose answers were lost, and tells what was done.
    func resolveLostAnswers() async throws {
        let lost = lostAnswers.all
        guard !lost.isEmpty else { return }
        let found = try await ledger.find(lost.map(\.record.id))
        lostAnswers.removeFirst(lost.count)
        for (answer, record) in zip(lost, found) {
            let outcome = answer.verdict.update.outcome(answer.record, foundAs: .some(record), answer.context)
            guard let written = outcome?.record else { continue }
            tell(answer.verdict, written, clock.now)
            if written.isHollow { await hurryParent(of: written, answer.verdict) }
        }
    }
}
