// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What comes with every writing call to a store.
public struct StoreContext: Sendable {
    /// The manager's time.
    public var now: LeaseInstant
    /// A fresh random number: the mark that this call leaves on the records it changes.
    public var operation: UInt64
    /// The start of the manager that calls.
    public var incarnation: Incarnation
    /// Why, and who asked: for a store that keeps an audit table in the same transaction.
    public var cause: LeaseCause

    /// Makes a context.
    public init(now: LeaseInstant, operation: UInt64, incarnation: Incarnation, cause: LeaseCause) {
        self.now = now
        self.operation = operation
        self.incarnation = incarnation
        self.cause = cause
    }
}

/// A store's answer, with its time if it has a clock.
public struct StoreReply<Value: Sendable>: Sendable {
    /// The answer.
    public var value: Value
    /// The store's own time when it answered; nil for a store without a clock.
    public var storeTime: LeaseInstant?
    /// Leases whose rows this call found unreadable and set aside, each of them once.
    ///
    /// They are quarantined; the manager tells of each in an event.
    public var setAside: [LeaseRecord]

    /// Makes a reply.
    public init(_ value: Value, storeTime: LeaseInstant? = nil, setAside: [LeaseRecord] = []) {
        self.value = value
        self.storeTime = storeTime
        self.setAside = setAside
    }
}
