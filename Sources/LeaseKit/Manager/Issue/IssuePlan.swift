// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A lease that is written down and not made yet.
struct IssuePlan: Sendable {
    /// The record, pending.
    let record: LeaseRecord
    /// What the backend is told.
    let call: BackendCall
    /// What was granted.
    let terms: TTLDecision
    /// When it was decided: validity counts from here, before anything was sent.
    let moment: Moment
    /// How long the backend may take.
    let timeout: Duration

    var id: LeaseID { record.id }
    /// When nobody waits for the backend any more, by the continuous clock.
    var deadline: Duration { moment.continuous + timeout }
}

/// What came back from making it.
struct Made<Secret: Sendable>: Sendable {
    let handle: [UInt8]
    let result: Result<Issued<Secret>, BackendFailure>

    /// Why there is none, if there is none.
    var failure: BackendFailure? { if case .failure(let failure) = result { failure } else { nil } }
}
