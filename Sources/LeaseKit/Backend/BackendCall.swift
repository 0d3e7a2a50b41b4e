// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Everything that a backend is told about one call.
///
/// Can grow without breaking a backend.
public struct BackendCall: Sendable {
    /// The lease that the call is about.
    public var id: LeaseID
    /// The lease's full path, mount included.
    public var path: String
    /// The path below the mount.
    public var rolePath: String {
        get { givenRolePath ?? LeasePath.below(mountLength, path) }
        set { givenRolePath = newValue }
    }
    /// The mark that the credential bears at the target; a revocation ends only what bears it.
    public var mark: LeaseMark
    /// When the call was made, by LeaseKit's clock.
    public var now: LeaseInstant
    /// When the lease ends (issue, revoke), or shall end (renew), by LeaseKit's clock.
    ///
    /// A target with a clock of its own is best told ``timeLeft``.
    public var expiresAt: LeaseInstant
    /// When the caller stops waiting for this call.
    ///
    /// Whatever is not done by then had better not be done.
    public var deadline: LeaseInstant
    /// How often this was tried before: 0 for the first time.
    public var attempt: Int
    /// The role as it was when the credential was made, from ``SecretBackend/roleVersion(at:)``.
    public var role: [UInt8]
    /// The fingerprint of the target that this mount belongs to, once one was adopted.
    public var target: String?
    /// The worker's claim: grows with each claim, so that a target can fence off a late one.
    ///
    /// Nil in issue and renew.
    public var claim: LeaseClaim?
    /// Why it is done.
    public var cause: LeaseCause
    /// Which start of the manager makes the call; nil where nobody can tell.
    ///
    /// A backend that marks its requests with it can end what a process that was killed left behind.
    public var start: ManagerStart?
    /// Nil for what lies in the path behind the mount's own: few backends ask for it, so that it is made when one does.
    private var givenRolePath: String?
    private var mountLength = 0

    /// Makes a call context.
    ///
    /// Backends get theirs from LeaseKit; tests of a backend make their own.
    public init(
        id: LeaseID,
        path: String,
        rolePath: String,
        mark: LeaseMark,
        now: LeaseInstant,
        expiresAt: LeaseInstant,
        deadline: LeaseInstant,
        attempt: Int = 0,
        role: [UInt8] = [],
        target: String? = nil,
        claim: LeaseClaim? = nil,
        cause: LeaseCause = LeaseCause(.requested),
        start: ManagerStart? = nil
    ) {
        self.id = id
        self.path = path
        givenRolePath = rolePath
        self.mark = mark
        self.now = now
        self.expiresAt = expiresAt
        self.deadline = deadline
        self.attempt = attempt
        self.role = role
        self.target = target
        self.claim = claim
        self.cause = cause
        self.start = start
    }

    /// A call about a lease that is there, at a mount with this path.
    init(
        about record: LeaseRecord,
        at mount: String,
        mark: LeaseMark,
        now: LeaseInstant,
        expiresAt: LeaseInstant,
        deadline: LeaseInstant,
        target: String?,
        cause: LeaseCause,
        start: ManagerStart?
    ) {
        id = record.id
        path = record.path
        self.mark = mark
        self.now = now
        self.expiresAt = expiresAt
        self.deadline = deadline
        attempt = Int(record.attempts)
        role = record.role
        self.target = target
        claim = record.claim
        self.cause = cause
        self.start = start
        mountLength = mount.utf8.count
    }

    /// The time from the call to the lease's end.
    public var timeLeft: Duration { max(.zero, now.duration(to: expiresAt)) }
    /// The time that the call may take.
    public var timeout: Duration { max(.zero, now.duration(to: deadline)) }
}

/// Which start of a manager on its store makes a call.
public struct ManagerStart: Hashable, Sendable {
    /// The start, as the store counts them.
    public var incarnation: Incarnation
    /// Whether the store has one manager at a time, so that every earlier start is over.
    public var isAlone: Bool

    /// Makes a start.
    public init(_ incarnation: Incarnation, isAlone: Bool) {
        self.incarnation = incarnation
        self.isAlone = isAlone
    }
}

/// What a credential bears at its target (a tag, a comment, a path), to say whose it is.
///
/// Whose it is, is said by deployment and lease; ``names(_:)`` compares these. The epoch tells a sweep in which life of the
/// store it was made; after a new epoch begins, calls about older leases bear the new one.
public struct LeaseMark: Hashable, Sendable {
    /// Who made it.
    ///
    /// Two deployments on one target never touch each other's.
    public var deployment: String
    /// The lease that names it.
    public var lease: LeaseID
    /// The life of the store in which it was made; a restored backup begins a new one.
    public var epoch: UInt64

    /// Makes a mark.
    public init(deployment: String, lease: LeaseID, epoch: UInt64) {
        self.deployment = deployment
        self.lease = lease
        self.epoch = epoch
    }

    /// Whether both are of the same lease of the same deployment.
    public func names(_ other: LeaseMark) -> Bool {
        deployment == other.deployment && lease == other.lease
    }
}
