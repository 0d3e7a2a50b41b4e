// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How old the leases of one deployment may become, as each of its processes has it now and had it lately.
struct LimitHistory {
    private struct Change {
        let process: String
        let path: String
        let maximum: Duration
        let at: Duration
        /// When it was replaced; nil while it holds.
        var until: Duration?
    }

    /// The maximum of a mount that nobody has changed, by its path.
    private let original: [String: Duration]
    private var changes: [Change] = []

    init(_ plans: [MountPlan]) {
        // Without a maximum of its own, a mount has the system's: 32 days.
        original = Dictionary(
            uniqueKeysWithValues: plans.map { ($0.path, $0.settings.limits.maximum ?? .seconds(2_764_800)) }
        )
    }

    /// A process has another maximum for a mount; nil for the original one.
    mutating func change(_ path: String, of process: String, to maximum: Duration?, at now: Duration) {
        guard let new = maximum ?? original[path] else { return }
        for index in changes.indices where changes[index].process == process && changes[index].path == path {
            changes[index].until = changes[index].until ?? now
        }
        changes.append(Change(process: process, path: path, maximum: new, at: now))
    }

    /// A process has ended.
    mutating func forget(_ process: String) { changes.removeAll { $0.process == process } }

    /// The highest maximum that any process may have decided by since a time; nil where nothing is known.
    func highest(_ path: String, since begin: Duration) -> Duration? {
        changes.filter { $0.path == path && $0.until.map { $0 >= begin } ?? true }.map(\.maximum).max()
            ?? original[path]
    }

    /// The highest maximum that was ever in force.
    func highest(_ path: String) -> Duration? { original[path] }
}
