// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What can be asked of an ``InMemoryTarget``.
public enum TargetOperation: String, Hashable, Sendable, CaseIterable {
    /// Make a credential.
    case issue
    /// Move a credential's end.
    case renew
    /// End a credential.
    case revoke
    /// List credentials.
    case inventory
    /// Say which target this is.
    case fingerprint
}
