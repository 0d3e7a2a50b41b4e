// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a revocation order is about.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum LeaseSelection: Hashable, Sendable {
    /// One lease that nothing hangs on. Refused when it has children, so that nobody ends a tree by mistake.
    case lease(LeaseID)
    /// A lease and everything below it.
    case tree(LeaseID)
    /// Every lease at a path or below it. `a/b` covers `a/b` and `a/b/c`, never `a/bc`.
    case prefix(String)
    /// Every lease of a mount.
    case mount(MountID)

    /// The lease at the root of a single-lease or tree selection.
    public var root: LeaseID? {
        switch self {
        case .lease(let id), .tree(let id): id
        case .prefix, .mount: nil
        }
    }
}

extension LeaseSelection: CustomStringConvertible {
    /// The selection in words.
    public var description: String {
        switch self {
        case .lease(let id): "lease \(id)"
        case .tree(let id): "lease \(id) and everything below it"
        case .prefix(let prefix): "every lease under \(prefix)"
        case .mount(let id): "every lease of \(id)"
        }
    }
}
