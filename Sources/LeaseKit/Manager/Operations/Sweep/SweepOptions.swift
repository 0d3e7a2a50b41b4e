// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How orphans are looked for.
public struct SweepOptions: Hashable, Sendable {
    /// Looks and reports, and ends nothing.
    public var isDryRun: Bool
    /// How old a credential must be before it counts as an orphan.
    public var grace: Duration
    /// Who asks, and why.
    public var cause: LeaseCause

    /// Makes options.
    public init(
        isDryRun: Bool = false,
        grace: Duration = .seconds(600),
        cause: LeaseCause = LeaseCause(.orphaned)
    ) {
        self.isDryRun = isDryRun
        self.grace = grace
        self.cause = cause
    }
}
