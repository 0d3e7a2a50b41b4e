// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One promise that a backend makes to LeaseKit, as ``SecretBackendConformance`` checks it.
public enum BackendRule: String, Hashable, Sendable, CaseIterable {
    /// The same call prepares the same handle.
    case prepareIsDeterministic
    /// Different leases prepare different handles.
    case prepareIsUnique
    /// A handle has at most 64 KiB.
    case handleIsSmall
    /// A handle read back from its bytes has the same bytes.
    case handleRoundTrips
    /// Issuing works.
    case issueWorks
    /// What was issued can be used.
    case secretIsUsable
    /// The secret is not in the handle.
    case handleHoldsNoSecret
    /// Descriptions and mirrors do not show the secret.
    case secretIsRedacted
    /// The handle from prepare alone, read back from bytes, ends what issue made.
    case preparedHandleIsEnough
    /// What was ended cannot be used any more.
    case revokedIsUnusable
    /// Ending it again answers that there is nothing.
    case revokeTwiceIsGone
    /// Ending what was never made answers that there is nothing.
    case revokeOfNeverIssuedIsGone
    /// A credential with another mark is left alone.
    case foreignMarkIsLeftAlone
    /// A backend that cannot revoke says when the credential ends by itself.
    case unrevocableSaysWhenItEnds
    /// A renewal moves the end, and never behind what was asked.
    case renewMovesTheEnd
    /// The same renewal again changes nothing.
    case renewIsRepeatable
    /// Renewing what is gone fails as gone.
    case renewOfGoneIsGone
    /// A backend that says it cannot renew refuses.
    case unrenewableRefuses
    /// A lease that is over before it begins leaves nothing usable.
    case pastExpiryLeavesNothing
    /// A call whose deadline is over fails fast and leaves nothing behind.
    case pastDeadlineLeavesNothing
    /// A role that does not exist is refused as such.
    case unknownRoleIsRefused
    /// Limits can be asked and make sense.
    case limitsMakeSense
    /// The role's version does not change by itself.
    case roleVersionIsStable
    /// Issues that overlap do not disturb each other.
    case concurrentIssuesAreIndependent
    /// The fingerprint does not change by itself.
    case fingerprintIsStable
    /// The inventory lists every live credential of the deployment once, with its mark, and nothing else.
    case inventoryIsExact
    /// The inventory leaves other deployments out.
    case inventoryLeavesOthersOut
    /// A handle from the inventory is enough to end its credential.
    case inventoryHandleIsEnough
    /// The inventory's pages come to an end.
    case inventoryPagesEnd
    /// A batch answers each item in its order.
    case batchAnswersInOrder
    /// A call to a target that does not answer fails by its deadline.
    case hungCallEndsByItsDeadline
}
