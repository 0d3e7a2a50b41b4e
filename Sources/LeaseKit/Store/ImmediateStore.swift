// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A store that never waits: what the manager asks most often can be asked in place, for one lease, without an array.
///
/// Each answers, throws and looks at cancellation as its asynchronous counterpart does.
protocol ImmediateStore: LeaseStore, AnyObject {
    func insertNow(_ insertion: LeaseInsertion, _ context: StoreContext) throws -> LeaseChangeOutcome
    func updateNow(_ id: LeaseID, _ update: LeaseUpdate, _ context: StoreContext) throws -> LeaseChangeOutcome
    func placeNow(_ order: RevocationOrder, claimUntil: LeaseInstant?, _ context: StoreContext) throws -> OrderPlacement
    func findNow(_ id: LeaseID) throws -> LeaseRecord?
}
