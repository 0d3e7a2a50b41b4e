// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// One line of an ``InMemoryTarget``'s history, for checkers.
public struct TargetEvent: Hashable, Sendable {
    /// What the target did.
    public enum Action: Hashable, Sendable {
        /// A request came in.
        case arrived
        /// A credential was made, or made again for the same mark.
        case made
        /// A credential's end was moved.
        case moved(LeaseInstant?)
        /// A credential was ended.
        case ended
        /// There was no such credential.
        case nothingThere
        /// Something bears the name, but not the mark.
        case notOurs
        /// The credential cannot be ended early.
        case left
        /// Something was read.
        case read
        /// The request was answered with a failure of this code, and nothing was done.
        case refused(String)
    }

    /// What was asked.
    public let operation: TargetOperation
    /// The credential's name; empty for a request that is about none.
    public let name: String
    /// The mark that the request carried.
    public let mark: LeaseMark?
    /// What the target did.
    public let action: Action
    /// When, by the target's clock.
    public let at: LeaseInstant
    /// Whether it was applied later than it arrived.
    public let isLate: Bool
    /// Whether it is the second application of one request.
    public let isDuplicate: Bool
}
