// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The mounts that are served here, by number and by path.
final class MountDirectory: Sendable {
    private struct State {
        var byID: [MountID: MountRuntime] = [:]
        var reserved: Set<String> = []
    }

    private let state = Locked(State())

    /// Keeps a path for a mount that is being made.
    ///
    /// No mount lies at, above or below another.
    func reserve(_ path: String) throws {
        try state.withLock { state throws(LeaseError) in
            for other in state.reserved where LeasePath.lies(other, under: path) || LeasePath.lies(path, under: other) {
                throw LeaseError(
                    .duplicateMount,
                    "cannot mount at \"\(path)\": \"\(other)\" is mounted already; choose a path that is not the same, "
                        + "above or below"
                )
            }
            state.reserved.insert(path)
        }
    }

    /// Gives a reserved path back.
    func release(_ path: String) {
        state.withLock { _ = $0.reserved.remove(path) }
    }

    func add(_ mount: MountRuntime) { state.withLock { $0.byID[mount.id] = mount } }

    func remove(_ mount: MountRuntime) {
        state.withLock { state in
            state.byID[mount.id] = nil
            state.reserved.remove(mount.path)
        }
    }

    subscript(_ id: MountID) -> MountRuntime? { state.withLock { $0.byID[id] } }

    var all: [MountRuntime] {
        state.withLock { Array($0.byID.values) }.sorted { $0.id < $1.id }
    }

    /// The mount at exactly this path.
    func at(_ path: String) throws -> MountRuntime {
        if let mount = all.first(where: { $0.path == path }) { return mount }
        throw LeaseError(.unknownMount, "nothing is mounted at \"\(path)\"; mount a backend there first")
    }
}
