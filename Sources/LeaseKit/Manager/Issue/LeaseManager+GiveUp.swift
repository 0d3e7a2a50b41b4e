// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Hands a lease that nobody holds to the background work, which ends whatever was made.
    ///
    /// When the store cannot be reached now, it is tried again until it can, whatever becomes of the caller.
    @inline(never)
    func giveUp(_ plan: IssuePlan, _ handle: [UInt8], _ failure: BackendFailure?, _ cause: LeaseCause) async {
        let fits = handle.count <= HandleSize.maximum
        let handOver = LeaseHandOver(
            handle: fits ? handle : nil,
            mayBeInFlight: failure.map { $0.kind == .ambiguous } ?? false,
            failure: failure?.note
        )
        let lease = GivenUpLease(id: plan.id, handOver: handOver, cause: cause, order: newOrderID())
        var written: LeaseRecord?
        do {
            written = try await end(lease).record
        } catch {
            givenUp.keep([lease], nextTry: clock.moment().continuous)
        }
        publish(LeaseEvent(.issueFailed, written ?? plan.record, at: clock.now))
        alarm.ring()
    }

    /// Gives a lease up of which nobody knows whether it was written down; its backend was not called.
    func giveUp(_ insertion: LeaseInsertion, _ cause: LeaseCause) {
        var lease = GivenUpLease(
            id: insertion.id,
            handOver: LeaseHandOver(handle: nil, mayBeInFlight: false),
            cause: cause,
            order: newOrderID()
        )
        lease.mayAppearUntil = insertion.deadline
        givenUp.keep([lease], nextTry: clock.moment().continuous)
        alarm.ring()
    }

    /// Tries again what could not be written down before.
    func serveGivenUp() async {
        var left = givenUp.take(at: clock.moment().continuous)[...]
        var waiting: [GivenUpLease] = []
        while let lease = left.first {
            do {
                if try await !end(lease).isOver { waiting.append(lease) }
            } catch {
                // The rest would fare no better now.
                waiting += left
                break
            }
            left.removeFirst()
        }
        if waiting.isEmpty { return }
        givenUp.keep(waiting, nextTry: clock.moment().continuous + GivenUpLeases.pause)
    }

    private func end(_ lease: GivenUpLease) async throws -> (isOver: Bool, record: LeaseRecord?) {
        switch try await ledger.updateSurely(lease.id, .handOver(lease.handOver), ledger.context(lease.cause)) {
        case .applied(let record):
            return (true, record)
        case .refused(.wrongState(.active)):
            // It was active from the start, or was turned active by a call whose answer was lost: nobody holds it.
            let options = RevokeOptions(cause: lease.cause, wait: .zero, orderID: lease.order)
            _ = try await revoke(.tree(lease.id), options)
            return (true, nil)
        case .refused(.notFound):
            return (lease.mayAppearUntil.map { clock.now >= $0 } ?? true, nil)
        case .refused:
            return (true, nil)
        }
    }
}
