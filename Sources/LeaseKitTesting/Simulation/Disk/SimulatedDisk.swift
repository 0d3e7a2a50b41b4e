// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What a simulated deployment keeps its leases on: it outlives processes, loses its power, fails, is copied and put back.
///
/// Conform a class to it, and a ``Simulation`` runs on a store of yours. Calls come from the simulation's one thread. A store
/// that it makes has to work in place: a job of another thread ends the run, because such a run cannot be repeated.
///
/// Only ``makeStore()`` and ``processDidEnd(_:losingPower:)`` have to be written; without the others nothing goes wrong on the
/// disk itself.
public protocol SimulatedDisk: AnyObject, Sendable {
    /// Makes a store for a process that starts now, on what earlier ones left behind.
    ///
    /// For an exclusive store, the process before has ended by then.
    func makeStore() async throws -> any LeaseStore

    /// The process of a store is gone: nothing calls the store any more, and unless the process stopped in order, nobody closed
    /// it.
    ///
    /// - Parameter losingPower: Whether the power went with it, and with the power whatever the disk had not been told to keep.
    func processDidEnd(_ store: any LeaseStore, losingPower: Bool) async

    /// Cuts the power in the middle of what comes next, when the disk has been changed so many times more.
    ///
    /// From that moment every call to a store fails, and ``hasPower`` says no until the process has ended.
    func cutPower(afterChanges count: Int)

    /// Whether the power is on.
    var hasPower: Bool { get }

    /// Decides what goes wrong from now on.
    func setTrouble(_ trouble: SimulatedDiskTrouble)

    /// Makes a copy of everything, in place of an earlier one; false when that cannot be done.
    ///
    /// - Parameter isMarked: Whether it is made by the store's own means, which mark it as a copy, or behind its back.
    func makeCopy(isMarked: Bool, of store: any LeaseStore) async throws -> Bool

    /// Puts the copy in place of what is there; no process has it open.
    func putBackCopy() async throws
}

extension SimulatedDisk {
    /// Does nothing.
    public func cutPower(afterChanges count: Int) {}
    /// Always.
    public var hasPower: Bool { true }
    /// Does nothing.
    public func setTrouble(_ trouble: SimulatedDiskTrouble) {}
    /// Makes none.
    public func makeCopy(isMarked: Bool, of store: any LeaseStore) async throws -> Bool { false }
    /// There is none.
    public func putBackCopy() async throws {}
}
