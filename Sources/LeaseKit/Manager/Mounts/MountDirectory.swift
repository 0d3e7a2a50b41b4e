// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The mounts that are served here, by number and by path.
final class MountDirectory: Sendable {
    private struct State {
        /// By number.
        var mounts: [MountRuntime] = []
        /// A list, and no set of texts, to which two spellings of the same characters are one.
        var reserved: [String] = []
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
            state.reserved.append(path)
        }
    }

    /// Gives a reserved path back.
    func release(_ path: String) {
        state.withLock { $0.reserved.removeAll { $0.hasSameBytes(as: path) } }
    }

    func add(_ mount: MountRuntime) {
        state.withLock { state in
            let place = state.mounts.firstIndex { $0.id >= mount.id } ?? state.mounts.count
            state.mounts.insert(mount, at: place)
        }
    }

    func remove(_ mount: MountRuntime) {
        state.withLock { state in
            state.mounts.removeAll { $0 === mount }
            state.reserved.removeAll { $0.hasSameBytes(as: mount.path) }
        }
    }

    subscript(_ id: MountID) -> MountRuntime? {
        state.withLock { state in
            var (low, high) = (0, state.mounts.count)
            while low < high {
                let middle = (low + high) / 2
                if state.mounts[middle].id < id { low = middle + 1 } else { high = middle }
            }
            return low < state.mounts.count && state.mounts[low].id == id ? state.mounts[low] : nil
        }
    }

    var all: [MountRuntime] { state.withLock { $0.mounts } }

    /// The mount at exactly this path.
    func at(_ path: String) throws -> MountRuntime {
        if let mount = all.first(where: { $0.path.hasSameBytes(as: path) }) { return mount }
        throw LeaseError(.unknownMount, "nothing is mounted at \"\(path)\"; mount a backend there first")
    }
}
