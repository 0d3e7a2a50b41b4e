// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    var registrations: [MountRegistration] {
        mounts.values.compactMap { $0.registration }.sorted { $0.id < $1.id }
    }

    func register(path: String, kind: String) -> MountRegistration {
        let known = mounts.values.lazy.compactMap { $0.registration }.first { $0.path.utf8.elementsEqual(path.utf8) }
        if let known { return known }
        repeat { life.mount += 1 } while mounts[MountID(rawValue: life.mount)] != nil
        let registration = MountRegistration(id: MountID(rawValue: life.mount), path: path, kind: kind)
        let mount = mount(registration.id)
        mount.registration = registration
        note(mount)
        return registration
    }

    func adopt(_ fingerprint: String?, for id: MountID, expected: String?) -> Bool {
        guard let mount = mounts[id], let registration = mount.registration else { return false }
        guard registration.fingerprint == expected else { return false }
        mount.registration?.fingerprint = fingerprint
        note(mount)
        return true
    }

    /// A mount that is not there has no leases: forgetting it twice is forgetting it once.
    func unregister(_ id: MountID) throws -> Bool {
        guard let mount = mounts[id] else { return true }
        guard mount.tally.total == 0 else { return false }
        mounts[id] = nil
        dirtyMounts.removeAll { $0 === mount }
        hasChanges = true
        for table in ["mount WHERE id", "mount_state WHERE mount"] {
            let statement = try connection.prepare("DELETE FROM \(table) = ?1")
            statement.bind(1, id.rawValue)
            try statement.run("forget a mount")
        }
        return true
    }

    func loadState(_ id: MountID, key: String) throws -> MountState? {
        let statement = try connection.prepare(
            "SELECT version, bytes, due FROM mount_state WHERE mount = ?1 AND key = ?2"
        )
        statement.bind(1, id.rawValue)
        statement.bind(2, key)
        guard try statement.next("read a mount's state") else { return nil }
        let due = statement.optionalInteger(2).map { LeaseInstant(nanosecondsSinceEpoch: $0) }
        return MountState(version: UInt64(bitPattern: statement.integer(0)), bytes: statement.bytes(1), due: due)
    }

    func saveState(
        _ id: MountID,
        key: String,
        expected: UInt64,
        bytes: [UInt8]?,
        due: LeaseInstant?
    ) throws -> UInt64? {
        guard try loadState(id, key: key)?.version ?? 0 == expected else { return nil }
        hasChanges = true
        guard let bytes else {
            let statement = try connection.prepare("DELETE FROM mount_state WHERE mount = ?1 AND key = ?2")
            statement.bind(1, id.rawValue)
            statement.bind(2, key)
            try statement.run("delete a mount's state")
            return expected &+ 1
        }
        let statement = try connection.prepare(
            "INSERT OR REPLACE INTO mount_state (mount, key, version, bytes, due) VALUES (?1, ?2, ?3, ?4, ?5)"
        )
        statement.bind(1, id.rawValue)
        statement.bind(2, key)
        statement.bind(3, expected &+ 1)
        statement.bind(4, bytes)
        statement.bind(5, optional: due?.nanosecondsSinceEpoch)
        try statement.run("write a mount's state")
        return expected &+ 1
    }
}
