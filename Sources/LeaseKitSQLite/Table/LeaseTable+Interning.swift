// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    // MARK: - Places

    func place(_ id: Int64) throws -> Place? {
        if let place = places[id] { return place }
        sql.placeByID.bind(1, id)
        return try readPlaces(sql.placeByID).first
    }

    func place(at path: String, of mount: MountID, make: Bool) throws -> Place? {
        if let place = placesByPath[PlaceKey(path: path, mount: mount)] { return place }
        sql.placeByPath.bind(1, path)
        sql.placeByPath.bind(2, mount.rawValue)
        if let place = try readPlaces(sql.placeByPath).first { return place }
        guard make else { return nil }
        sql.insertPlace.bind(1, path)
        sql.insertPlace.bind(2, mount.rawValue)
        guard try sql.insertPlace.next("write a path") else { return nil }
        let id = sql.insertPlace.integer(0)
        _ = try sql.insertPlace.next("write a path")
        return keep(Place(id: id, path: path, mount: mount, tally: Tally()))
    }

    /// The places at exactly one path.
    func places(at path: String) throws -> [Place] {
        sql.placesAtPath.bind(1, path)
        return try readPlaces(sql.placesAtPath)
    }

    /// Reads places to the end; those that are in memory are the newer ones.
    func readPlaces(_ statement: borrowing Statement) throws -> [Place] {
        var found: [Place] = []
        while try statement.next("read a path") {
            if let known = places[statement.integer(0)] {
                found.append(known)
            } else {
                let mount = MountID(rawValue: UInt32(truncatingIfNeeded: statement.integer(2)))
                let tally = Tally(statement, 3)
                found.append(keep(Place(id: statement.integer(0), path: statement.text(1), mount: mount, tally: tally)))
            }
        }
        return found
    }

    private func keep(_ place: Place) -> Place {
        places[place.id] = place
        placesByPath[PlaceKey(path: place.path, mount: place.mount)] = place
        return place
    }

    // MARK: - Owners

    func owner(_ id: Int64) throws -> Owner? {
        if let owner = owners[id] { return owner }
        sql.ownerByID.bind(1, id)
        return try readOwner(sql.ownerByID)
    }

    func owner(named name: String, make: Bool) throws -> Owner? {
        sql.ownerByName.bind(1, name)
        if let owner = try readOwner(sql.ownerByName) { return owner }
        guard make else { return nil }
        sql.insertOwner.bind(1, name)
        guard try sql.insertOwner.next("write an owner") else { return nil }
        let owner = Owner(id: sql.insertOwner.integer(0), name: name, tally: Tally())
        _ = try sql.insertOwner.next("write an owner")
        owners[owner.id] = owner
        return owner
    }

    private func readOwner(_ statement: borrowing Statement) throws -> Owner? {
        guard try statement.next("read an owner") else { return nil }
        defer { statement.reset() }
        let id = statement.integer(0)
        if let known = owners[id] { return known }
        let owner = Owner(id: id, name: statement.text(1), tally: Tally(statement, 2))
        owners[id] = owner
        return owner
    }

    // MARK: - Roles

    func role(_ id: Int64) throws -> Role? {
        if let role = roles[id] { return role }
        sql.roleByID.bind(1, id)
        return try readRole(sql.roleByID)
    }

    /// The row of a role's version; nil for the empty one.
    func role(for version: [UInt8]) throws -> Role? {
        if version.isEmpty { return nil }
        if let id = roleIDs[version], let role = roles[id] { return role }
        sql.roleByVersion.bind(1, version)
        if let role = try readRole(sql.roleByVersion) { return role }
        sql.insertRole.bind(1, version)
        guard try sql.insertRole.next("write a role") else { return nil }
        let role = Role(id: sql.insertRole.integer(0), version: version, uses: 0)
        _ = try sql.insertRole.next("write a role")
        return keep(role)
    }

    func use(_ role: Role, _ difference: Int) {
        role.uses += difference
        if !role.isDirty {
            role.isDirty = true
            dirtyRoles.append(role)
        }
    }

    private func readRole(_ statement: borrowing Statement) throws -> Role? {
        guard try statement.next("read a role") else { return nil }
        defer { statement.reset() }
        if let known = roles[statement.integer(0)] { return known }
        return keep(Role(id: statement.integer(0), version: statement.bytes(1), uses: statement.count(2)))
    }

    private func keep(_ role: Role) -> Role {
        roles[role.id] = role
        roleIDs[role.version] = role.id
        return role
    }

    // MARK: - Mounts

    func mount(_ id: MountID) -> MountEntry {
        if let mount = mounts[id] { return mount }
        let mount = MountEntry(id: id, registration: nil)
        mounts[id] = mount
        note(mount)
        return mount
    }

    func note(_ mount: MountEntry) {
        hasChanges = true
        if !mount.isDirty {
            mount.isDirty = true
            dirtyMounts.append(mount)
        }
    }

    // MARK: - Counting

    /// Notes that a lease came, went or changed its state.
    func count(_ place: Place, _ owner: Int64?, from before: LeaseState?, to after: LeaseState?) throws {
        if before == after { return }
        place.tally.move(from: before, to: after)
        if !place.isDirty {
            place.isDirty = true
            dirtyPlaces.append(place)
        }
        let mount = mount(place.mount)
        mount.tally.move(from: before, to: after)
        note(mount)
        guard let owner, let entry = try self.owner(owner) else { return }
        entry.tally.move(from: before, to: after)
        if !entry.isDirty {
            entry.isDirty = true
            dirtyOwners.append(entry)
        }
    }
}
