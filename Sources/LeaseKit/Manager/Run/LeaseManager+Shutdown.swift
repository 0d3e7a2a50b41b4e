// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The way out.
extension LeaseManager {
    /// Lets calls in flight finish; over a volatile store, revokes everything.
    func windUp(within budget: ShutdownBudget) async {
        if !ledger.store.traits.isDurable {
            // Half of the budget is kept for the revoking.
            await waitForDemands(until: budget.demandsEnd)
            await revokeEverything(until: budget.workEnd)
        }
        await waitForDemands(until: budget.workEnd)
        await serveGivenUp()
    }

    /// Lets calls in flight finish: what their backends answer has yet to be written down by their callers.
    private func waitForDemands(until deadline: Duration) async {
        while lifecycle.hasDemands, clock.moment().continuous < deadline {
            alarm.arm(until: deadline)
            await alarm.wait(until: deadline, clock.time)
        }
    }

    /// The way out over a volatile store, which nobody will remember: everything is revoked, within the budget.
    private func revokeEverything(until deadline: Duration) async {
        // Drawn once: placing an order again, after the store was in trouble, is placing it once.
        var unplaced = mounts.all.map { (mount: $0.id, order: newOrderID()) }
        while clock.moment().continuous < deadline {
            do {
                while let next = unplaced.first {
                    let options = RevokeOptions(cause: LeaseCause(.shutdown), wait: .zero, orderID: next.order)
                    _ = try await revoke(.mount(next.mount), options)
                    unplaced.removeFirst()
                }
                if try await goesOnRevoking(until: deadline) { continue }
                return
            } catch {
                publish(LeaseEvent(.storeTrouble, at: clock.now, note: "\(error)"))
                try? await clock.time.sleep(until: min(clock.moment().continuous + .seconds(1), deadline))
            }
        }
    }

    /// One round of revoking everything; false when nothing is left that waiting would change.
    private func goesOnRevoking(until deadline: Duration) async throws -> Bool {
        alarm.arm(until: .seconds(Int64.max / 4))
        if try await serveRound() { return true }
        let counts = try await ledger.ask { try await $0.counts(.all) }
        // What ends by itself is not waited for.
        if counts.total == counts[.ending] { return false }
        let wake = try await nextWake()
        let isIdle = mounts.all.allSatisfy { $0.gate.withLock { $0.revocations == 0 } }
        // Nothing runs and nothing comes due in time: waiting would change nothing.
        if isIdle && wake >= deadline { return false }
        await alarm.wait(until: min(wake, deadline), clock.time)
        return true
    }

    /// Takes no more calls, says what is left, and closes the store.
    ///
    /// Before `run()` returns: whoever starts the next manager on the store then must not find it closed by this one, and what
    /// comes back from a hung call later must not write to it.
    func close(_ farewell: Locked<String>) async {
        lifecycle.finish()
        guard let incarnation = ledger.opening?.incarnation else {
            return farewell.withLock { $0 = "the store could not be opened" }
        }
        let left = (try? await ledger.ask { try await $0.counts(.all) })?.total
        let note: String? =
            switch (left, ledger.store.traits.isDurable) {
            case (nil, _): nil
            case (0?, _): "no lease is left"
            case (let left?, true): "\(left) leases stay in the store for the next start"
            case (let left?, false): "\(left) leases could not be revoked in time and may still be live"
            }
        if let note { farewell.withLock { $0 = note } }
        try? await ledger.store.record(clock.observation())
        await ledger.store.close(incarnation)
    }
}
