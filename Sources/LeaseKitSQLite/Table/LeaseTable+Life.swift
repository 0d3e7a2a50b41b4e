// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension LeaseTable {
    /// Writes the first and only row of a new table.
    static func begin(_ connection: borrowing Connection, deployment: String) throws {
        let statement = try connection.prepare(
            "INSERT OR IGNORE INTO life VALUES (1, ?1, 0, 1, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL)"
        )
        statement.bind(1, deployment)
        try statement.run("begin a table")
        try connection.execute("INSERT OR IGNORE INTO epoch (epoch) VALUES (1)", "begin a table")
    }

    /// Begins a new incarnation: what earlier ones had in their hands is free.
    func open(at reading: TimeReading) throws -> StoreOpening {
        life.incarnation += 1
        hasChanges = true
        try void(at: reading.time(after: life.observed))
        var doubts: [StoreDoubt] = life.isBackup ? [.restoredBackup] : []
        if let doubt = life.doubt { doubts.append(StoreDoubt(doubt)) }
        return StoreOpening(
            deployment: life.deployment,
            incarnation: Incarnation(rawValue: life.incarnation),
            epoch: life.epoch,
            livedEpochs: try livedEpochs(),
            observed: life.observed,
            doubts: doubts
        )
    }

    func beginEpoch(_ context: StoreContext) throws -> UInt64 {
        // Not a count: two copies of a table that each begin a new epoch must not begin the same one.
        life.epoch = context.operation
        life.isBackup = false
        life.doubt = nil
        hasChanges = true
        let statement = try connection.prepare("INSERT OR IGNORE INTO epoch (epoch) VALUES (?1)")
        statement.bind(1, life.epoch)
        try statement.run("begin an epoch")
        return life.epoch
    }

    func record(_ time: ObservedTime) {
        life.observed = time
        hasChanges = true
    }

    private func livedEpochs() throws -> Set<UInt64> {
        let statement = try connection.prepare("SELECT epoch FROM epoch")
        var epochs: Set<UInt64> = []
        while try statement.next("read the epochs") { epochs.insert(UInt64(bitPattern: statement.integer(0))) }
        return epochs
    }
}
