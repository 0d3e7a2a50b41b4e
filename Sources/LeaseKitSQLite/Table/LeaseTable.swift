// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// The lease table in its database: synchronous, without a lock, one transaction around every call.
///
/// Rows are read and written as they are asked for. What has to be counted (places, owners, mounts, orders, the life of the
/// table) is kept in memory while a transaction runs and written once before its commit; after a rollback it is read anew.
final class LeaseTable {
    let connection: Connection
    let sql: Statements
    let orderSQL: OrderStatements
    let file: String
    var life: Life
    var mounts: [MountID: MountEntry] = [:]
    var places: [Int64: Place] = [:]
    var placesByPath: [PlaceKey: Place] = [:]
    var owners: [Int64: Owner] = [:]
    var roles: [Int64: Role] = [:]
    var roleIDs: [[UInt8]: Int64] = [:]
    var dirtyPlaces: [Place] = []
    var dirtyOwners: [Owner] = []
    var dirtyMounts: [MountEntry] = []
    var dirtyRoles: [Role] = []
    var orders = OrderShelf()
    var claims = ClaimShelf()
    var leftovers: Leftovers
    /// Whether leases that are removed leave entries behind.
    var leavesEntries = false
    /// How many leases this transaction has removed; what leases leave behind changes with that alone.
    var removals = 0
    /// Rows that were written lately, as they are now: who wrote one mostly asks for it next.
    var desk: [LeaseID: Row] = [:]
    /// Whether any lease has, or had since the opening, a parent; while false, nobody asks for children.
    var hasTree = false
    /// Rows that were found unreadable since the last answer.
    var setAside: [LeaseRecord] = []
    /// The copies that are being made of it.
    var backups: [OnlineBackup] = []
    /// Whether anything was written in this transaction.
    var hasChanges = false
    /// Grows with every row that is written.
    var writes = 0
    /// What ``writes`` was at the last commit.
    private var writesBefore = 0
    private var logCycle = LogCycle()

    /// A path of a mount: byte by byte, as the database has it, where two spellings of the same letters are two paths.
    struct PlaceKey: Hashable {
        let path: String
        let mount: MountID

        static func == (lhs: PlaceKey, rhs: PlaceKey) -> Bool {
            lhs.mount == rhs.mount && lhs.path.utf8.elementsEqual(rhs.path.utf8)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(mount)
            var path = path
            path.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    init(_ connection: consuming Connection, file: String, _ limits: Leftovers.Limits) throws {
        sql = try Statements(connection)
        orderSQL = try OrderStatements(connection)
        guard let life = try Life.read(sql.readLife) else {
            throw StoreError(
                .refused,
                "the lease database \(file) is damaged: its head row is lost or says what cannot be; restore a backup made by "
                    + "backup(to:)"
            )
        }
        self.connection = connection
        self.file = file
        self.life = life
        leftovers = Leftovers(limits)
        try load()
        try loadLeftovers()
    }

    deinit { for backup in backups { backup.end() } }

    /// Forgets everything that is kept in memory, and reads anew what always is.
    func reload() throws {
        if let life = try Life.read(sql.readLife) { self.life = life }
        (mounts, places, placesByPath, owners, roles, roleIDs) = ([:], [:], [:], [:], [:], [:])
        (dirtyPlaces, dirtyOwners, dirtyMounts, dirtyRoles) = ([], [], [], [])
        (setAside, hasChanges, desk) = ([], false, [:])
        try load()
        if removals > 0 { try loadLeftovers() }
    }

    private func load() throws {
        let statement = try connection.prepare(
            "SELECT id, path, kind, fingerprint, n0, n1, n2, n3, n4, n5, n6 FROM mount"
        )
        while try statement.next("read the mounts") {
            let id = MountID(rawValue: UInt32(truncatingIfNeeded: statement.integer(0)))
            let registration = statement.optionalText(1).map {
                MountRegistration(id: id, path: $0, kind: statement.text(2), fingerprint: statement.optionalText(3))
            }
            let mount = MountEntry(id: id, registration: registration, tally: Tally(statement, 4))
            mount.isWritten = true
            mounts[id] = mount
        }
        let child = "SELECT 1 FROM lease INDEXED BY lease_parent WHERE parent IS NOT NULL LIMIT 1"
        hasTree = try connection.number(child) != nil
        orders = try OrderShelf(orderSQL)
        try loadClaims()
        countForLeftovers()
    }

    /// The rows that were found unreadable since the last answer.
    func takeSetAside() -> [LeaseRecord] {
        defer { setAside = [] }
        return setAside
    }

    // MARK: - Writing back what is counted

    /// Writes back what was counted since the last time, before a commit.
    func flush() throws {
        try takeOutLeftovers()
        try flushTallies()
        try flushOrders()
        if hasChanges {
            life.mark += 1
            try life.write(sql.writeLife)
            connection.checkpoint(afterPages: logCycle.pages(for: writes - writesBefore))
            writesBefore = writes
        }
    }

    /// After a commit: keeps the memory within bounds.
    func settle() {
        (hasChanges, removals) = (false, 0)
        countForLeftovers()
        // A row on the desk holds its place.
        if desk.count > Self.deskSize || places.count > Self.memory { desk = [:] }
        if places.count > Self.memory { (places, placesByPath) = ([:], [:]) }
        if owners.count > Self.memory { owners = [:] }
        if roles.count > Self.memory { (roles, roleIDs) = ([:], [:]) }
        orders.shrink(to: Self.memory)
    }

    private static let memory = 8_192
    /// Room for what was claimed together and is about to be removed, beside what else was written meanwhile.
    private static let deskSize = 6_144

    private func flushTallies() throws {
        for place in dirtyPlaces {
            place.isDirty = false
            if place.tally.total == 0 {
                places[place.id] = nil
                placesByPath[PlaceKey(path: place.path, mount: place.mount)] = nil
                sql.deletePlace.bind(1, place.id)
                try sql.deletePlace.run("forget a path")
            } else {
                try write(place, sql.updatePlace)
            }
        }
        for owner in dirtyOwners {
            owner.isDirty = false
            if owner.tally.total == 0 {
                owners[owner.id] = nil
                sql.deleteOwner.bind(1, owner.id)
                try sql.deleteOwner.run("forget an owner")
            } else {
                try write(owner, sql.updateOwner)
            }
        }
        for mount in dirtyMounts { try save(mount) }
        for role in dirtyRoles {
            role.isDirty = false
            if role.uses == 0 {
                roles[role.id] = nil
                roleIDs[role.version] = nil
                sql.deleteRole.bind(1, role.id)
                try sql.deleteRole.run("forget a role")
            } else {
                sql.updateRole.bind(1, role.id)
                sql.updateRole.bind(2, role.uses)
                try sql.updateRole.run("count a role")
            }
        }
        dirtyPlaces.removeAll(keepingCapacity: true)
        dirtyOwners.removeAll(keepingCapacity: true)
        dirtyMounts.removeAll(keepingCapacity: true)
        dirtyRoles.removeAll(keepingCapacity: true)
    }

    private func write(_ entry: TalliedEntry, _ statement: borrowing Statement) throws {
        statement.bind(1, entry.id)
        entry.tally.bind(statement, 2)
        try statement.run("count leases")
    }

    private func save(_ mount: MountEntry) throws {
        mount.isDirty = false
        if mount.isWritten { return try write(mount, sql.updateMount) }
        mount.isWritten = true
        sql.saveMount.bind(1, mount.id)
        mount.tally.bind(sql.saveMount, 2)
        sql.saveMount.bind(9, optional: mount.registration?.path)
        sql.saveMount.bind(10, optional: mount.registration?.kind)
        sql.saveMount.bind(11, optional: mount.registration?.fingerprint)
        try sql.saveMount.run("write a mount")
    }
}
