// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting

// The calls below are the ones that a service makes. Only two things are not real: the database, which is an
// `InMemoryTarget`, and the time. Under the seeded executor the clock moves whenever nobody has anything to do, so that
// a day passes in milliseconds and every run tells the same story. The last chapter is real altogether.

if let folder = Victim.folder {
    // This process was started by another run of this program, to be killed.
    try Victim.live(in: folder)
}

let folder = try Folder()
let time = VirtualTime()
let executor = SeededExecutor(seed: 1, time: time)

try executor.drive {
    let database = Database(time: time)
    // A file is all that the durable store needs. A service leaves `runsInPlace` out: it is for virtual time alone.
    let options = SQLiteLeaseStore.Options(runsInPlace: true)

    // `withLeaseManager` runs the manager's `run()` beside the body, and stops it on the way out. In a service, `run()` is
    // one of the services of a service group.
    let store = SQLiteLeaseStore(path: folder.file("leases.sqlite"), options: options)
    try await withLeaseManager(store: store, configuration: database.configuration(executor), time: time) { manager in
        let credentials = try await manager.mount(database.backend, at: "database")
        let sessions = try await manager.mountSessions(at: "sessions")

        try await issueAndUse(credentials, database)
        try await renew(credentials, time)
        try await hitTheMaximum(credentials, database, time)
        try await cascade(sessions, credentials, database, manager)
        try await revokeByPrefix(credentials, manager)
        try await sitOutAnOutage(credentials, database, manager, time)

        heading("Shutting down")
        _ = try await credentials.issue("app")
        _ = try await credentials.issue("report")
        say("live at the database before: \(database.target.liveCredentials.count)")
    }
    // The leases are in the file, so nothing had to be revoked on the way out.
    say("live at the database after:  \(database.target.liveCredentials.count)")

    heading("Starting again")
    try await startAgain(
        SQLiteLeaseStore(path: folder.file("leases.sqlite"), options: options),
        database,
        database.configuration(executor),
        time
    )
}

heading("Killed in the middle of an issue")
try surviveAKill(in: folder)
