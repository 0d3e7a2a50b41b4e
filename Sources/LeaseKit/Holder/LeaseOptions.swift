// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What an issue may be asked for beside its request.
public struct IssueOptions: Sendable, Hashable {
    /// How long it shall run; nil takes the role's default.
    public var ttl: Duration?
    /// How old it may become at most, whatever the role says.
    public var explicitMaximum: Duration?
    /// Makes it periodic: each renewal runs for this long, without an age limit unless `explicitMaximum` sets one.
    public var period: Duration?
    /// The lease that it belongs to and ends with.
    public var parent: LeaseID?
    /// Whether its own end may lie behind its parent's.
    ///
    /// It ends with its parent in any case.
    public var outlivesParentTTL: Bool
    /// How many times it may be used; see ``LeaseManager/consumeUse(of:cause:)``.
    public var uses: UInt32?
    /// For whom it is held: counted by quotas, listed by queries.
    public var owner: String?
    /// Labels of the application's own, 512 bytes at most, all names and values together.
    public var labels: [String: String]
    /// An id of the request, so that a repeated request never makes a second credential.
    public var requestID: String?
    /// Who asks, for events and audit.
    public var actor: String?
    /// Something already encrypted that belongs to the lease, with a key that is not here.
    public var sealedPayload: [UInt8]?

    /// Makes options.
    public init(
        ttl: Duration? = nil,
        explicitMaximum: Duration? = nil,
        period: Duration? = nil,
        parent: LeaseID? = nil,
        outlivesParentTTL: Bool = false,
        uses: UInt32? = nil,
        owner: String? = nil,
        labels: [String: String] = [:],
        requestID: String? = nil,
        actor: String? = nil,
        sealedPayload: [UInt8]? = nil
    ) {
        self.ttl = ttl
        self.explicitMaximum = explicitMaximum
        self.period = period
        self.parent = parent
        self.outlivesParentTTL = outlivesParentTTL
        self.uses = uses
        self.owner = owner
        self.labels = labels
        self.requestID = requestID
        self.actor = actor
        self.sealedPayload = sealedPayload
    }

    var cause: LeaseCause { LeaseCause(.requested, actor: actor, requestID: requestID) }
}

/// What a renewal may be asked for.
public struct RenewOptions: Sendable, Hashable {
    /// How long it shall run from now; nil takes the role's default.
    public var increment: Duration?
    /// Whether the end may come earlier than it is now.
    ///
    /// Without this a renewal never shortens.
    public var mayShorten: Bool
    /// Who asks, and why.
    public var cause: LeaseCause

    /// Makes options.
    public init(
        increment: Duration? = nil,
        mayShorten: Bool = false,
        cause: LeaseCause = LeaseCause(.requested)
    ) {
        self.increment = increment
        self.mayShorten = mayShorten
        self.cause = cause
    }
}

/// How a revocation is done.
public struct RevokeOptions: Sendable, Hashable {
    /// Who asks, and why.
    public var cause: LeaseCause
    /// Keeps new leases out of the prefix or mount until ``LeaseManager/reopen(_:cause:)``; says nothing of a lease or tree.
    public var isClosing: Bool
    /// How long to wait for the report; nil takes the manager's default, zero does not wait.
    public var wait: Duration?
    /// The order's id, to place it again after an answer was lost without placing it twice.
    public var orderID: RevocationOrderID?

    /// Makes options.
    public init(
        cause: LeaseCause = LeaseCause(.requested),
        isClosing: Bool = false,
        wait: Duration? = nil,
        orderID: RevocationOrderID? = nil
    ) {
        self.cause = cause
        self.isClosing = isClosing
        self.wait = wait
        self.orderID = orderID
    }
}
