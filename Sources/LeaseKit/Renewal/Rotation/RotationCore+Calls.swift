// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The calls of a rotating credential: each is a child of the scheduler's `run()`, and holds up nothing else.
extension RotationCore {
    /// Makes a credential, tries it out, and hands it out.
    func make(_ attempt: UInt64, through broker: Int) async {
        let (isWanted, isClosing) = inner.withLock { ($0.state.making == attempt, $0.state.isClosing) }
        guard isWanted else { return }
        if isClosing {
            // Closed while this waited for its turn: nothing is made that would go straight back.
            return stopMaking()
        }
        let askedAt = scheduler.now
        // While one is held, an attempt that nobody answers leaves time for another one.
        let left = inner.withLock { $0.state.current?.term.left(at: askedAt) }
        let timeout = left.map { min(policy.issueTimeout, max(.seconds(1), $0 / 2)) } ?? policy.issueTimeout
        await scheduler.attempt(within: timeout) {
            try await self.calls.make(broker, askedAt)
        } late: { candidate in
            // It came when nobody waited for it any more.
            self.giveBack(candidate)
        } report: { result in
            switch result {
            case .failure(let error): makingFailed(error, madeOne: false)
            case .success(let candidate): await tryOut(candidate, attempt)
            }
        }
    }

    private func stopMaking() {
        change { inner, _, _ in
            inner.state.making = nil
            return []
        }
    }

    private func tryOut(_ candidate: CredentialCandidate, _ attempt: UInt64) async {
        await scheduler.attempt(within: policy.validationTimeout) {
            try await candidate.validate()
        } report: { result in
            switch result {
            case .success where candidate.term.isOver(at: scheduler.now):
                giveBack(candidate)
                makingFailed(Self.overAlready, madeOne: true)
            case .success: made(candidate, attempt)
            case .failure(let error):
                giveBack(candidate)
                makingFailed(error, madeOne: true)
            }
        }
    }

    private func made(_ candidate: CredentialCandidate, _ attempt: UInt64) {
        let watch = ChangeWatch(candidate.named.end, scheduler.time)
        var number: UInt64 = 0
        change { inner, now, random in
            let made = RotationState.Made(
                attempt: attempt,
                lease: candidate.lease,
                term: candidate.term,
                named: candidate.named,
                window: candidate.window
            )
            let (generation, actions) = inner.state.made(made, at: now, random: random)
            number = generation
            inner.candidate = candidate
            inner.path = candidate.path
            inner.lastError = nil
            inner.watches[generation] = watch
            return actions
        }
        scheduler.publish(
            .rotated,
            lease: candidate.lease,
            path: candidate.path,
            note: number == 1 ? "generation #1" : "generation #\(number) takes over from #\(number - 1)"
        )
        scheduler.submit([{ await self.follow(candidate, watch) }], due: nil)
    }

    private func makingFailed(_ error: any Error, madeOne: Bool) {
        let verdict = madeOne ? .refused(retryAfter: nil) : RenewalVerdict(reading: error)
        let isHopeless = (error as? LeaseError).map { !$0.isRetryable } ?? false
        var waiters: [Waiter] = []
        var path = ""
        change { inner, now, random in
            inner.state.makingFailed(verdict, madeOne: madeOne, at: now, random: random)
            inner.lastError = error
            path = inner.path
            // Nobody is left waiting for what only a change by somebody can mend; the next call tries again.
            if isHopeless || madeOne { swap(&waiters, &inner.waiters) }
            return []
        }
        for waiter in waiters { waiter.reply.deliver(.failure(error)) }
        let what = madeOne ? "the new credential does not work" : "no new credential was made"
        scheduler.publish(.rotationFailed, path: path, note: "\(what): \(Self.safeText(of: error))")
    }

    /// Extends the current lease.
    func renew(_ number: UInt64, _ lease: LeaseID, through broker: Int, within timeout: Duration) async {
        let askedAt = scheduler.now
        await scheduler.attempt(within: timeout) {
            try await self.calls.renew(lease, broker)
        } report: { result in
            var watch: ChangeWatch?
            change { inner, now, random in
                watch = inner.watches[number]
                switch result {
                case .success(let outcome):
                    inner.state.renewed(
                        number,
                        outcome,
                        askedAt: askedAt,
                        broker: broker,
                        at: now,
                        random: random
                    )
                case .failure(let error):
                    inner.state.renewalFailed(
                        number,
                        RenewalVerdict(reading: error),
                        askedAt: askedAt,
                        at: now,
                        random: random
                    )
                }
                return []
            }
            switch result {
            case .success(let outcome):
                watch?.believe(outcome.expiresAt)
                scheduler.publish(.renewed, lease: lease)
            case .failure(let error):
                scheduler.publish(.renewalFailed, lease: lease, note: Self.safeText(of: error))
            }
        }
    }

    /// Gives a generation back to its source, again and again until that is done or its own time is over.
    func end(_ number: UInt64, _ lease: LeaseID, home: Int, retryUntil: Duration, tries: Int) async {
        if tries > 0 {
            let wait = RenewalPolicy().retryWithoutLease(
                afterFailures: tries,
                isRefused: false,
                random: scheduler.random()
            )
            do { try await scheduler.time.sleep(until: scheduler.now + wait) } catch { return }
        }
        let wait = policy.revocationTimeout
        await scheduler.attempt(within: wait + .seconds(1)) {
            try await self.calls.revoke(lease, home, wait)
        } report: { result in
            let isDone = if case .success = result { true } else { false }
            let isOver = scheduler.now >= retryUntil
            change { inner, _, _ in
                inner.state.ending(number, isDone: isDone || isOver)
                return []
            }
            if isDone || isOver { return }
            scheduler.submit(
                [{ await self.end(number, lease, home: home, retryUntil: retryUntil, tries: tries + 1) }],
                due: nil
            )
        }
    }

    /// Gives back what nobody ever got, as any other generation is given back.
    private func giveBack(_ candidate: CredentialCandidate) {
        change { inner, now, _ in
            inner.state.discarded(candidate.lease, home: candidate.broker, until: candidate.term.end, at: now)
            return []
        }
    }

    /// Follows what others do to a lease, as long as it is held.
    private func follow(_ candidate: CredentialCandidate, _ watch: ChangeWatch) async {
        while let news = await watch.next({ try await self.calls.nextChange(candidate, $0) }) {
            change { inner, now, random in
                switch news {
                case .ended(let reason): inner.state.ended(candidate.lease, reason, at: now)
                case .moved(let end): inner.state.moved(candidate.lease, to: end, at: now, random: random)
                }
                return []
            }
            guard case .moved(let end) = news else { return }
            watch.believe(end)
        }
    }

    private static var overAlready: LeaseError {
        LeaseError(
            .leaseExpired,
            "the new credential was over when it was to be handed out; raise its TTL, or compare the clock of its source with "
                + "this machine's"
        )
    }

    /// An error in words that hold no secret: of a foreign one only the type's name.
    static func safeText(of error: any Error) -> String {
        (error as? LeaseError)?.description ?? String(describing: type(of: error))
    }
}
