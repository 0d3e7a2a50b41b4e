// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A hold on one generation of a ``RotatingCredential``, kept as long as something uses it: a connection, a request.
///
/// A generation that is replaced is revoked when the last hold on it is gone, or its grace is over. The hold ends with the
/// value, which cannot be copied: keep it beside the connection that it is for.
public struct CredentialUse: ~Copyable, Sendable {
    /// Which generation is held.
    public let generation: CredentialGeneration
    private let core: RotationCore

    init(_ core: RotationCore, _ generation: CredentialGeneration) {
        self.core = core
        self.generation = generation
    }

    deinit { core.giveBack(generation.rawValue) }

    /// Ends the hold now.
    public consuming func end() {}

    /// Where the generation stands.
    public var standing: Standing { core.standing(of: generation.rawValue) }

    /// How long the generation is good yet, as far as is known now; nothing when it is over.
    ///
    /// A renewal moves that on. A replacement leaves its users their grace, if the lease runs that long. A pool that lends a
    /// connection only with more time left than a use of it takes is on the safe side when the replacement is late.
    public var timeLeft: Duration { core.timeLeft(of: generation.rawValue) }

    /// Where a generation stands.
    ///
    /// Frozen: it is handed out, it was, or it is over.
    public enum Standing: Sendable, Hashable {
        /// It is the one that is handed out.
        case current
        /// Another one took its place: finish, and end the hold.
        case draining
        /// It is being ended, or its time is over.
        case over
    }
}
