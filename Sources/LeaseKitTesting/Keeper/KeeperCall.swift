// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One call to a keeper, as a plan of faults sees it.
public struct KeeperCall: Hashable, Sendable {
    /// Which call.
    public var kind: Kind
    /// The name that it is about.
    public var name: String
    /// How many calls came before it.
    public var index: Int

    /// Which call it is.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Reads what is kept.
        case load
        /// Keeps a new secret beside the committed one.
        case stage
        /// Makes the staged secret the committed one.
        case commit
        /// Forgets the staged secret.
        case discard
        /// Forgets a name.
        case remove
    }
}
