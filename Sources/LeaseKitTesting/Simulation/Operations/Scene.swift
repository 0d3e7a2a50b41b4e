// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A situation that is brought about again and again amid the ordinary operations of a run.
///
/// Chance alone leads to some of them only once in a thousand seeds. A run with a scene is as random as any other; every
/// few operations the scene is played instead, and its world is made so that the scene can happen in it.
package enum Scene: String, CaseIterable, Sendable {
    /// An order covers a lease whose credential is just being made.
    case orderWhileIssuing
    /// An order covers a lease that is just being renewed.
    case orderWhileRenewing
    /// A worker stands still until its claim has lapsed, and writes when another one has taken over.
    case lapsedClaim
    /// A worker that heard no answer stands still, and writes its failure when another one has removed the lease.
    case lapsedFailure
    /// A parent and children that need it are revoked together.
    case tree
    /// A parent and children that could do without it are revoked together, when nothing has gone wrong for a while.
    case family
    /// Callers are cancelled at every moment of their calls, and clean up after themselves.
    case cancelledCallers
    /// A wall clock jumps by hours, under leases that are in use.
    case wallJump
    /// A machine comes back with a wall clock that is ten years ahead, under leases that are in use.
    case restartAhead

    /// Whether the first deployment has to have several managers; nil when chance decides.
    var isShared: Bool? {
        switch self {
        case .lapsedClaim, .lapsedFailure: true
        case .wallJump, .restartAhead: false
        default: nil
        }
    }

    /// Makes a mount fit for the scene.
    func prepare(_ plan: inout MountPlan) {
        guard !plan.isSession else { return }
        if self != .cancelledCallers { plan.abilities.callStyle = .suspending }
        plan.abilities.isRevocable = true
        plan.abilities.isRenewable = true
        plan.slack = .seconds(30)
        plan.settings.rate = nil
        plan.settings.concurrency = 16
        plan.settings.revocationConcurrency = 8
        plan.settings.waitingLimit = 100
        plan.abilities.needsParent = self == .tree
    }
}

/// One step of a scene, and how long it is left alone after it.
struct SceneStep {
    let wait: Duration
    let body: () async -> Void

    init(then wait: Duration, _ body: @escaping () async -> Void) {
        self.wait = wait
        self.body = body
    }
}
