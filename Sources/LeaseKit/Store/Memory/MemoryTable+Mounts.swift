// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension MemoryTable {
    var registrations: [MountRegistration] {
        mounts.values.compactMap { $0.registration }.sorted { $0.id < $1.id }
    }

    func register(path: String, kind: String) -> MountRegistration {
        let known = mounts.values.lazy.compactMap { $0.registration }.first { $0.path.hasSameBytes(as: path) }
        if let known { return known }
        repeat { life.lastMount += 1 } while mounts[MountID(rawValue: life.lastMount)] != nil
        let registration = MountRegistration(id: MountID(rawValue: life.lastMount), path: path, kind: kind)
        mount(registration.id).registration = registration
        return registration
    }

    func adopt(_ fingerprint: String?, for id: MountID, expected: String?) -> Bool {
        guard let mount = mounts[id], let registration = mount.registration else { return false }
        guard registration.fingerprint == expected else { return false }
        mount.registration?.fingerprint = fingerprint
        return true
    }

    /// A mount that is not there has no leases: forgetting it twice is forgetting it once.
    func unregister(_ id: MountID) -> Bool {
        guard let mount = mounts[id] else { return true }
        guard mount.counts.total == 0 else { return false }
        mounts[id] = nil
        return true
    }

    func loadState(_ id: MountID, key: String) -> MountState? {
        mounts[id]?.states[Array(key.utf8)]
    }

    func saveState(_ id: MountID, key: String, expected: UInt64, bytes: [UInt8]?, due: LeaseInstant?) -> UInt64? {
        let key = Array(key.utf8)
        guard mounts[id]?.states[key]?.version ?? 0 == expected else { return nil }
        mount(id).states[key] = bytes.map { MountState(version: expected + 1, bytes: $0, due: due) }
        return expected + 1
    }
}
