// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a keeper has under one name.
///
/// | committed | staged | means |
/// |---|---|---|
/// | – | – | nothing is kept here |
/// | ✓ | – | the committed one is right |
/// | – | ✓ | the first one is on its way; what the target had before is known elsewhere |
/// | ✓ | ✓ | a change is on its way, and the target has one of the two |
public struct KeptSecrets: Hashable, Sendable {
    /// The secret that was right when it was committed; nil when there never was one.
    public let committed: KeptSecret?
    /// The secret that may be right already; nil when no change is on its way.
    public let staged: KeptSecret?

    /// Makes a pair.
    public init(committed: KeptSecret? = nil, staged: KeptSecret? = nil) {
        self.committed = committed
        self.staged = staged
    }

    /// Whether nothing is kept under the name.
    public var isEmpty: Bool { committed == nil && staged == nil }
}
