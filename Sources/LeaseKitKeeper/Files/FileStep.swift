// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The moments of a write at which a process may die: for tests that let it, and tests that have the disk fail.
package enum FileStep: String, Sendable, CaseIterable {
    /// Nothing was written yet.
    case beginning
    /// The new file has its bytes.
    case written
    /// They are on the disk; the old file is still the keeper.
    case synced
    /// The new file has taken the old one's place.
    case renamed
    /// That is on the disk, too.
    case folderSynced
}

extension FileStep {
    /// Asked at each step; an error is taken for the disk's.
    typealias Hook = @Sendable (FileStep) throws(SecretKeeperError) -> Void
}
