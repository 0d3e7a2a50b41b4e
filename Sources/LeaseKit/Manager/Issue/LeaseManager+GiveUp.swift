// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager {
    /// Hands a lease that nobody holds to the background work, which ends whatever was made.
    ///
    /// If even this fails, the pending lease's own deadline does the same a little later.
    func giveUp<Secret: Sendable>(_ plan: IssuePlan, _ made: Made<Secret>, _ cause: LeaseCause) async {
        let failure: BackendFailure? = if case .failure(let failure) = made.result { failure } else { nil }
        let fits = made.handle.count <= HandleSize.maximum
        let handOver = LeaseHandOver(
            handle: fits ? made.handle : nil,
            mayBeInFlight: failure.map { $0.kind == .ambiguous } ?? false,
            failure: failure?.note
        )
        await giveUp(plan.record, handOver, cause)
    }

    private func giveUp(_ record: LeaseRecord, _ handOver: LeaseHandOver, _ cause: LeaseCause) async {
        let outcome = try? await ledger.update(record.id, .handOver(handOver), ledger.context(cause))
        publish(LeaseEvent(.issueFailed, outcome?.record ?? record, at: clock.now))
        if case .wrongState(.active)? = outcome?.refusal {
            // It was active from the start, or was turned active by a call whose answer was lost: nobody holds it.
            _ = try? await revoke(.tree(record.id), RevokeOptions(cause: cause, wait: .zero))
        }
        alarm.ring()
    }
}
