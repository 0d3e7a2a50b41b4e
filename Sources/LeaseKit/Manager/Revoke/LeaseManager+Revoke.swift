// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Revokes a selection: one lease, a tree, everything under a prefix, a whole mount.
    ///
    /// What is durable at once is a small order; from that moment everything that it covers counts as revoking. The
    /// background work then finds and ends every lease of it, also after a crash, for as long as it takes. This call waits
    /// for the report, but no longer than ``RevokeOptions/wait``; the report of an order can be asked for again with
    /// ``report(of:)``. Cancelling it stops the waiting, not the revoking.
    ///
    /// A selection that covers nothing is a complete report of zeros, not an error.
    ///
    /// - Throws: ``LeaseError``; with code ``LeaseError/Code/managerNotRunning`` when the report has to be waited for and
    ///   ``run()`` is not started within ``Configuration/startTimeout``. The order stands nevertheless.
    @discardableResult
    public func revoke(_ selection: LeaseSelection, _ options: RevokeOptions = RevokeOptions()) async throws
        -> RevocationReport
    {
        try await revoke(selection, options, within: nil)
    }

    /// Revokes a selection; a lease or tree only if it is of a certain mount, if that is asked for.
    ///
    /// Put where it is used, like ``demand(at:from:until:_:)``.
    @inline(__always)
    private func revoke(
        _ selection: LeaseSelection,
        _ options: RevokeOptions,
        within mount: MountID?
    ) async throws -> RevocationReport {
        if lifecycle.phase == .stopped || !ledger.isOpen { _ = try await openedForChange() }
        if case .prefix(let prefix) = selection, !prefix.isEmpty { try LeasePath.validate(prefix) }
        let moment = clock.moment()
        var order = RevocationOrder(
            id: options.orderID ?? RevocationOrderID(rawValue: entropy.next() | 1),
            selection: selection,
            cause: options.cause,
            // An order about a lease keeps nobody out, and would stay open for a reopening that never comes.
            isClosing: options.isClosing && selection.root == nil,
            patience: configuration.patience,
            placedAt: moment.now
        )
        order.mount = mount
        let placement = try await place(order, claimUntil: moment.now + claimTime(within: mount), cause: options.cause)
        guard placement.order.selection == selection else {
            throw LeaseError(
                .invalidRequest,
                "order \(order.id) was placed before to revoke \(placement.order.selection); use a new order id"
            )
        }
        if let refusal = placement.refusal { throw try await explain(refusal, selection, moment.now) }
        publish(
            LeaseEvent(
                .orderPlaced,
                at: moment.now,
                lease: selection.root,
                path: path(of: selection),
                cause: options.cause,
                order: order.id,
                note: selection.description
            )
        )
        if let claimed = placement.claimed {
            return try await endNow(claimed, placement.order, options, moment)
        }
        if placement.order.progress.isComplete { publishCompletion(of: placement.order) }
        orders.follow(placement.order)
        alarm.ring()
        return try await waitForReport(of: placement.order, options, moment)
    }

    /// The path that a selection is about; empty for a lease, whose path the order does not know.
    private func path(of selection: LeaseSelection) -> String {
        switch selection {
        case .lease, .tree: ""
        case .prefix(let prefix): prefix
        case .mount(let id): mounts[id]?.path ?? ""
        }
    }

    /// Revokes what a mount's holder may revoke: a lease of that mount, and everything below it.
    ///
    /// From a task that may be cancelled already: cleaning up after it must not be cut short, only bounded.
    @inline(__always)
    func revokeShielded(
        _ id: LeaseID,
        _ options: RevokeOptions,
        within mount: MountRuntime
    ) async throws -> RevocationReport {
        // Without run() there is nobody to wait for the report on behalf of a cancelled task.
        guard Task.isCancelled, lifecycle.phase == .running else {
            return try await revoke(.tree(id), options, within: mount.id)
        }
        return try await revokeForCancelled(id, options, within: mount)
    }

    /// Has the background work revoke what a cancelled task lets go.
    @inline(never)
    private func revokeForCancelled(
        _ id: LeaseID,
        _ options: RevokeOptions,
        within mount: MountRuntime
    ) async throws -> RevocationReport {
        let reply = Reply<RevocationReport>()
        let isAccepted = work.submit {
            do {
                reply.deliver(.success(try await self.revoke(.tree(id), options, within: mount.id)))
            } catch {
                reply.deliver(.failure(error))
            }
        }
        guard isAccepted else { return try await revoke(.tree(id), options, within: mount.id) }
        return try await reply.valueWhateverHappens()
    }

    /// The report of an order, as it stands now.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/orderNotFound`` once a store has forgotten a completed order.
    public func report(of id: RevocationOrderID) async throws -> RevocationReport {
        _ = try await opened()
        guard let order = try await ledger.ask({ try await $0.orders([id]) }).first ?? nil else {
            throw LeaseError(
                .orderNotFound,
                "there is no order \(id); completed orders are kept for a while only, so everything it covered is over"
            )
        }
        return try await report(order)
    }

    /// Waits until an order that was placed before is done, here or by another manager; then answers its report.
    public func waitForReport(of id: RevocationOrderID, atMost wait: Duration? = nil) async throws -> RevocationReport {
        let report = try await report(of: id)
        if report.isComplete || report.isExpanded && report.stillTried == 0 { return report }
        guard let order = try await ledger.ask({ try await $0.orders([id]) }).first ?? nil else { return report }
        orders.follow(order)
        return try await waitForReport(of: order, RevokeOptions(wait: wait), clock.moment())
    }

    /// Lets a closed prefix or mount take new leases again; false when the order was not closing.
    @discardableResult
    public func reopen(_ order: RevocationOrderID, cause: LeaseCause = LeaseCause(.requested)) async throws -> Bool {
        _ = try await openedForChange()
        return try await ledger.ask { try await $0.reopen(order, ledger.context(cause)) }
    }

    /// How long a claim is held: longer than the slowest attempt may take.
    ///
    /// What is handed over is the lease itself, so that of a mount's own the mount's limit says it all.
    private func claimTime(within mount: MountID?) -> Duration {
        if let mount, let served = mounts[mount] { return served.settings.revokeTimeout + .seconds(10) }
        var longest: Duration?
        for mount in mounts.all { longest = max(longest ?? .zero, mount.settings.revokeTimeout) }
        return (longest ?? .seconds(30)) + .seconds(10)
    }

    /// Places an order.
    @inline(__always)
    func place(
        _ order: RevocationOrder,
        claimUntil: LeaseInstant?,
        cause: LeaseCause
    ) async throws -> OrderPlacement {
        try await ledger.place(order, claimUntil: claimUntil, ledger.context(cause, at: order.placedAt))
    }

    /// Ends a lease that was handed over with the order, without a detour when its backend never waits.
    @inline(__always)
    private func endNow(
        _ claimed: ClaimedLease,
        _ order: RevocationOrder,
        _ options: RevokeOptions,
        _ moment: Moment
    ) async throws -> RevocationReport {
        if let mount = mounts[claimed.record.mount], canEndNow(at: mount, options),
            mount.gate.withLock({ $0.identity == .confirmed && $0.enter(.revocation, at: moment.now) == nil })
        {
            guard mount.abilities.callStyle == .immediate else {
                return try await endUnderRun(claimed, order, options, at: mount, moment)
            }
            if let outcome = await endHere(claimed, at: mount, from: clock.moment()) {
                return completed(order, outcome)
            }
        } else {
            // Not ours to call from here: given back at once, for the background work to take.
            let release = LeaseUpdate.release(claimed.record.claim ?? LeaseClaim(rawValue: 0), due: moment.now)
            _ = try? await ledger.update(claimed.record.id, release, ledger.context(options.cause))
        }
        orders.follow(order)
        alarm.ring()
        return try await waitForReport(of: order, options, moment)
    }

    /// Whether a lease that was handed over is ended by way of its order: at once, or as a job of `run()` that is waited for.
    private func canEndNow(at mount: MountRuntime, _ options: RevokeOptions) -> Bool {
        mount.abilities.callStyle == .immediate
            || lifecycle.phase == .running && (options.wait ?? configuration.revocationWait) > .zero
    }

    /// The report of an order whose only lease has ended.
    private func completed(_ order: RevocationOrder, _ outcome: LeaseOutcome) -> RevocationReport {
        var progress = order.progress
        progress.count(outcome)
        publishCompletion(of: order)
        return RevocationReport(order.id, progress, remaining: [])
    }

    /// Ends a lease as a job of `run()`, which no caller's cancellation reaches.
    ///
    /// What has no outcome yet, and what comes when nobody waits any more, goes the way of any other order.
    @inline(never)
    private func endUnderRun(
        _ claimed: ClaimedLease,
        _ order: RevocationOrder,
        _ options: RevokeOptions,
        at mount: MountRuntime,
        _ moment: Moment
    ) async throws -> RevocationReport {
        let reply = Reply<LeaseOutcome?>()
        let isAccepted = work.submit {
            let outcome = await self.end(claimed, at: mount, from: self.clock.moment())
            if outcome == nil {
                self.orders.follow(order)
                self.alarm.ring()
            }
            if !reply.deliver(.success(outcome)), outcome != nil {
                self.orders.follow(order)
                await self.reportFinished([order.id])
            }
        }
        if isAccepted {
            let limit = options.wait ?? configuration.revocationWait
            let outcome = try await reply.value(until: moment.continuous + limit, deadlines)
            if case .some(.some(let outcome)) = outcome { return completed(order, outcome) }
        } else {
            mount.leave(.revocation)
            await giveBack([claimed]) { _ in moment.now }
            orders.follow(order)
            alarm.ring()
        }
        return try await waitForReport(of: order, options, moment, isFollowed: true)
    }

    @inline(never)
    private func waitForReport(
        of order: RevocationOrder,
        _ options: RevokeOptions,
        _ moment: Moment,
        isFollowed: Bool = false
    ) async throws -> RevocationReport {
        let limit = options.wait ?? configuration.revocationWait
        var latest = order
        if limit > .zero && !order.progress.isComplete {
            let reply = orders.wait(for: order.id)
            defer { orders.stopWaiting(reply, for: order.id) }
            // It may have been completed between placing it and waiting for it. What is followed is told when its turn comes:
            // of a lease whose answer was lost, the news come first.
            if !isFollowed || !orders.isFollowing(order.id) { await reportFinished([order.id]) }
            if orders.isWaiting(reply, for: order.id) { try await requireWorker(for: order.id, within: limit) }
            if let done = try await reply.value(until: moment.continuous + limit, clock.time) { latest = done }
        }
        if let now = try await ledger.ask({ try await $0.orders([order.id]) }).first ?? nil { latest = now }
        return try await report(latest)
    }

    /// Waits, but not for ever, until somebody carries orders out.
    private func requireWorker(for order: RevocationOrderID, within limit: Duration) async throws {
        do {
            try await lifecycle.requireStarted(within: min(limit, configuration.startTimeout), clock.time)
        } catch let error as LeaseError where error.code == .managerNotRunning {
            throw LeaseError(
                .managerNotRunning,
                "order \(order) is written down, but nobody carries it out: the manager's run() is not running; start it in a "
                    + "task group or service group, and ask for the report with waitForReport(of:)"
            )
        }
    }

    /// Tells whoever waits for one of these orders that it is done, if it is.
    @inline(never)
    func reportFinished(_ ids: [RevocationOrderID]) async {
        let watched = orders.watched(among: ids)
        guard !watched.isEmpty else { return }
        guard let found = try? await ledger.ask({ try await $0.orders(watched) }) else { return }
        for case let order? in found where order.progress.isSettled {
            if order.progress.isComplete && orders.finish(order.id) { publishCompletion(of: order) }
            orders.report(order)
        }
    }

    private func publishCompletion(of order: RevocationOrder) {
        publish(LeaseEvent(.orderCompleted, at: clock.now, cause: order.cause, order: order.id))
    }

    private func report(_ order: RevocationOrder) async throws -> RevocationReport {
        guard order.progress.unfinished + order.progress.ending > 0 else {
            return RevocationReport(order.id, order.progress, remaining: [])
        }
        let page = try? await ledger.ask {
            StoreReply(try await $0.page(LeaseQuery(order: order.id), after: nil, limit: 100).value)
        }
        // A hollow record has its outcome: it only waits for its children.
        return RevocationReport(order.id, order.progress, remaining: (page?.records ?? []).filter { !$0.isHollow })
    }

    @inline(never)
    private func explain(
        _ refusal: ChangeRefusal,
        _ selection: LeaseSelection,
        _ now: LeaseInstant
    ) async throws -> LeaseError {
        // A lease of another mount: whoever asks learns nothing of it.
        if refusal == .notFound, let root = selection.root { return LeaseError.notFound(root) }
        guard let root = selection.root, let record = try await ledger.find(root) else {
            return LeaseError(.storeRefused, "the store did not take the order to revoke \(selection): \(refusal)")
        }
        return LeaseError(refusal, using: record, to: "revoked", now: now)
    }
}

extension OrderProgress {
    /// Whether nothing moves any more without a person or the passing of time.
    var isSettled: Bool { isExpanded && unfinished == stuck }
}
