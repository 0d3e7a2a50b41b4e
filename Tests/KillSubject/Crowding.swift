// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

/// Writes leases until there is no room for more, and goes on when there is.
struct Crowding {
    private let directory: String
    private let room: SmallDisk
    private let store: SQLiteLeaseStore

    init(_ directory: String, _ room: SmallDisk) {
        self.directory = directory
        self.room = room
        store = SQLiteLeaseStore(path: directory + "/leases.sqlite")
    }

    /// Says by what it ran out of room, what it was told, what is there then, and what is there after it was given more.
    func run() async throws {
        say(room.rawValue)
        let opening = try await store.open(at: SystemTime().read())
        let mount = try await store.register(path: "db", kind: "test", context(opening, 0)).value.id
        var number: UInt64 = 0
        var trouble: StoreError?
        while trouble == nil && number < 10_000 {
            number += 1
            trouble = try await attempt(number, mount, opening)
        }
        // It is refused as often as somebody tries, and what was answered can be read all the while.
        let again = try await attempt(number, mount, opening)
        for refusal in [trouble, again] { say(refusal.map { "\($0.kind): \($0.message)" } ?? "wrote") }
        try await tell(answered: number - 1)
        room.grow(directory)
        let after = try await attempt(number, mount, opening)
        say(after.map { "\($0.kind): \($0.message)" } ?? "wrote")
        try await tell(answered: number)
        await store.close(opening.incarnation)
        let next = try await store.open(at: SystemTime().read())
        try await tell(answered: number)
        say("\(try await store.integrityCheck().count) flaws, \(next.doubts.count) doubts")
        await store.close(next.incarnation)
    }

    private func attempt(_ number: UInt64, _ mount: MountID, _ opening: StoreOpening) async throws -> StoreError? {
        let now = SystemTime().read().wall
        let insertion = LeaseInsertion(
            id: id(number),
            mount: mount,
            path: "db/app",
            handle: Array(repeating: 0x78, count: 600),
            issuedAt: now,
            expiresAt: now + .seconds(600),
            deadline: now + .seconds(30)
        )
        do {
            _ = try await store.apply([.insert(insertion)], context(opening, number))
            return nil
        } catch let error as StoreError {
            return error
        }
    }

    /// How many leases were answered, how many of those are there, and how many are counted.
    private func tell(answered: UInt64) async throws {
        let found = try await store.find((1...answered + 1).map { id($0) }).value
        let there = found.dropLast().count { $0 != nil }
        let counted = try await store.counts(.all).value.total
        let beyond = found.suffix(1).count { $0 != nil }
        say("answered \(answered), there \(there), beyond \(beyond), counted \(counted)")
    }

    private func id(_ number: UInt64) -> LeaseID { LeaseID(high: number, low: number &* 0x9E37_79B9_7F4A_7C15) }

    private func context(_ opening: StoreOpening, _ operation: UInt64) -> StoreContext {
        StoreContext(
            now: SystemTime().read().wall,
            operation: operation,
            incarnation: opening.incarnation,
            cause: LeaseCause(.requested)
        )
    }
}
