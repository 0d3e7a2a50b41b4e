// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One change to one lease: a compare-and-set, atomic alone.
///
/// Frozen: a lease is new or it is there. What can happen to one that is there may grow, in ``LeaseUpdate``.
public enum LeaseChange: Sendable {
    /// Writes a new lease down.
    case insert(LeaseInsertion)
    /// Changes a lease that is there.
    case update(LeaseID, LeaseUpdate)

    /// The lease that it is about.
    public var lease: LeaseID {
        switch self {
        case .insert(let insertion): insertion.id
        case .update(let id, _): id
        }
    }
}

/// What can happen to a lease that is there.
///
/// Writes of a worker carry its claim, and lose when it lapsed and somebody else has claimed the lease since.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseUpdate: Sendable {
    /// The credential was made: pending → active.
    case activate(LeaseActivation)
    /// The issuer gives a pending lease up: → revoking when nothing is in flight, else → settling.
    case handOver(LeaseHandOver)
    /// The end moves.
    case extend(LeaseExtension)
    /// A renewal's answer was lost, or it taught the backend something: the handle is kept, the doubt noted.
    case doubt(handle: [UInt8]?, isAmbiguous: Bool)
    /// One use is consumed; the last one turns the lease revoking.
    case consumeUse
    /// The lease leaves its parent and stands alone.
    case detach
    /// A stuck, waiting or quarantined lease is due at once.
    case rearm
    /// An attempt to end it failed, for a reason of its own.
    case attempt(LeaseClaim, LeaseFailure, due: LeaseInstant, isStuck: Bool)
    /// A claim is given back uncharged; it is due again at the given time.
    case release(LeaseClaim, due: LeaseInstant)
    /// Looked at while settling, and nothing there: it is looked at again.
    case settle(LeaseClaim, due: LeaseInstant)
    /// It cannot be ended early and ends by itself.
    case end(LeaseClaim, until: LeaseInstant)
    /// It is over. Without a claim only for ``LeaseOutcome/abandoned``.
    case remove(LeaseClaim?, LeaseOutcome)
    /// It cannot be read and is set aside.
    case quarantine(LeaseClaim?, LeaseFailure)
}

/// How a lease ended.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseOutcome: UInt8, Hashable, Sendable, CaseIterable {
    /// The credential was there and is not any more.
    case revoked
    /// There was nothing to end.
    case alreadyGone
    /// Something of that name bears another mark and was left untouched.
    case notOurs
    /// It ended by itself.
    case ended
    /// Dropped by an operator without ending it; it may still be live.
    case abandoned
}

/// A new lease.
public struct LeaseInsertion: Sendable {
    /// The lease's name.
    public var id: LeaseID
    /// The mount that makes it.
    public var mount: MountID
    /// Where it lies.
    public var path: String
    /// What will find its credential.
    public var handle: [UInt8]
    /// The role's version.
    public var role: [UInt8] = []
    /// What it holds.
    ///
    /// A credential starts pending; the other kinds have nothing to make and start active.
    public var kind: LeaseKind = .credential
    /// Whether it can be extended.
    public var isRenewable = false
    /// The lease that it belongs to.
    public var parent: LeaseID?
    /// Whether its end may never lie behind its parent's.
    public var bindsToParent = true
    /// Whether its backend needs the parent to end it.
    public var needsParent = false
    /// When it is issued.
    public var issuedAt: LeaseInstant
    /// When it will end.
    public var expiresAt: LeaseInstant
    /// When the issuing call gives up; a pending lease is due then.
    public var deadline: LeaseInstant
    /// The rare fields: period, explicit maximum, uses, request id, owner, labels, sealed payload.
    public var fields = LeaseRecord.Fields()
    /// The quotas to keep.
    public var quotas = LeaseQuotas.unlimited

    /// Makes an insertion.
    public init(
        id: LeaseID,
        mount: MountID,
        path: String,
        handle: [UInt8],
        issuedAt: LeaseInstant,
        expiresAt: LeaseInstant,
        deadline: LeaseInstant
    ) {
        self.id = id
        self.mount = mount
        self.path = path
        self.handle = handle
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.deadline = deadline
    }
}

/// What turns a pending lease active.
public struct LeaseActivation: Sendable {
    /// The handle with what was learnt on the way.
    public var handle: [UInt8]
    /// When it ends; never later than the target's own end.
    public var expiresAt: LeaseInstant
    /// The generation that the issuer saw.
    public var generation: UInt32

    /// Makes an activation.
    public init(handle: [UInt8], expiresAt: LeaseInstant, generation: UInt32) {
        self.handle = handle
        self.expiresAt = expiresAt
        self.generation = generation
    }
}

/// What an issuer leaves when it gives a pending lease up.
public struct LeaseHandOver: Sendable {
    /// The handle with what was learnt on the way; nil for no change.
    public var handle: [UInt8]?
    /// Whether the target may still apply the request later.
    public var mayBeInFlight: Bool
    /// Why it was given up.
    public var failure: LeaseFailure?

    /// Makes a hand-over.
    public init(handle: [UInt8]?, mayBeInFlight: Bool, failure: LeaseFailure? = nil) {
        self.handle = handle
        self.mayBeInFlight = mayBeInFlight
        self.failure = failure
    }
}

/// How a lease's end moves.
public struct LeaseExtension: Sendable {
    /// The new end.
    public var expiresAt: LeaseInstant
    /// The handle with what was learnt on the way; nil for no change.
    public var handle: [UInt8]?
    /// The generation that the renewal saw.
    public var generation: UInt32
    /// Whether the new end may lie before the old one.
    public var mayShorten: Bool
    /// Whether the target has not confirmed the new end yet.
    public var needsConfirmation: Bool
    /// Whether the target granted less than it had before, so that the end moves forward though nobody asked for that.
    public var isCutByTarget = false

    /// Makes an extension.
    public init(
        expiresAt: LeaseInstant,
        handle: [UInt8]? = nil,
        generation: UInt32,
        mayShorten: Bool = false,
        needsConfirmation: Bool = false
    ) {
        self.expiresAt = expiresAt
        self.handle = handle
        self.generation = generation
        self.mayShorten = mayShorten
        self.needsConfirmation = needsConfirmation
    }
}
