// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a store tells a manager that opens it.
public struct StoreOpening: Sendable {
    /// Whose leases these are: random, kept in a durable store, new for each life of a volatile one.
    public var deployment: String
    /// Which start this is.
    public var incarnation: Incarnation
    /// The current life of the table; marks bear it.
    public var epoch: UInt64
    /// Every life of the table, the current one included: what a sweep may end.
    public var livedEpochs: Set<UInt64>
    /// The newest time that was observed, if any.
    public var observed: ObservedTime?
    /// Reasons to believe that this is a copy of a table that went on elsewhere.
    ///
    /// In doubt the manager ends nothing by time.
    public var doubts: [StoreDoubt]

    /// Makes an opening.
    public init(
        deployment: String,
        incarnation: Incarnation,
        epoch: UInt64,
        livedEpochs: Set<UInt64>,
        observed: ObservedTime? = nil,
        doubts: [StoreDoubt] = []
    ) {
        self.deployment = deployment
        self.incarnation = incarnation
        self.epoch = epoch
        self.livedEpochs = livedEpochs
        self.observed = observed
        self.doubts = doubts
    }
}

/// A reason to believe that a store is a copy of a table that went on elsewhere.
public struct StoreDoubt: Hashable, Sendable, CustomStringConvertible {
    /// A sentence for people.
    public let description: String

    /// Makes a doubt.
    public init(_ description: String) { self.description = description }

    /// The table was made by a backup and is opened for the first time.
    public static let restoredBackup = StoreDoubt("the store is a restored backup")
}

/// The newest time that a store has seen, and the boot clock beside it.
///
/// In the same boot, stored time plus elapsed boot time is the truth, whatever the wall clock says.
public struct ObservedTime: Hashable, Sendable {
    /// The time.
    public var time: LeaseInstant
    /// Which start of the machine it was.
    public var bootID: String
    /// The continuous clock at that moment.
    public var continuous: Duration

    /// Makes an observation.
    public init(time: LeaseInstant, bootID: String, continuous: Duration) {
        self.time = time
        self.bootID = bootID
        self.continuous = continuous
    }
}
