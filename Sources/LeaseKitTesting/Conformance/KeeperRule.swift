// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One promise of a keeper, as ``SecretKeeperConformance`` checks it.
public enum KeeperRule: String, Hashable, Sendable, CaseIterable {
    /// Under a name that was never used there is nothing.
    case unknownNameIsEmpty
    /// A staged secret is seen beside the committed one, which stays as it is.
    case stageIsBesideCommitted
    /// A commit makes the staged secret the committed one, with its version, and leaves nothing staged.
    case commitReplaces
    /// A discarded stage is gone, and the committed secret stays.
    case discardKeepsCommitted
    /// A removed name has nothing.
    case removeForgets
    /// Versions grow, over discarded stages and removed names.
    case versionsGrow
    /// A stage over another version than the committed one is refused and changes nothing.
    case staleStageIsRefused
    /// A second, different stage is refused and changes nothing.
    case secondStageIsRefused
    /// A commit of a version that is not staged is refused and changes nothing.
    case otherCommitIsRefused
    /// A discard of the committed version, or of one never given, is refused and changes nothing.
    case otherDiscardIsRefused
    /// A removal of another version, or beside a stage, is refused and changes nothing.
    case otherRemoveIsRefused
    /// Every call that succeeded succeeds again and changes nothing.
    case callsAreRepeatable
    /// What happens under one name does not touch another.
    case namesAreIndependent
    /// Names that no keeper takes are refused by every call, and the longest one is taken.
    case namesAreChecked
    /// An empty or too long secret is refused, and the longest one is taken.
    case secretsAreChecked
    /// A secret comes back byte by byte.
    case bytesArePreserved
    /// Of many stages at once, one wins; many names at once all get theirs.
    case oneOfManyWins
    /// Errors do not show secrets.
    case errorsHoldNoSecret
    /// Everything is there after the keeper was opened again.
    case reopeningKeepsAll
}
