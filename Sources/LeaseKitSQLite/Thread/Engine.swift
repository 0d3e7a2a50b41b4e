// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit

/// Runs calls on the database, many in one transaction and with one synced commit.
///
/// Unchecked, because it has no protection of its own: either the store's one thread runs it, or, under simulation, callers do
/// under one lock.
final class Engine: @unchecked Sendable {
    let path: String
    let options: SQLiteLeaseStore.Options
    private let hooks: CommitHooks
    private let entropy: LeaseEntropy
    private(set) var session: Session?
    private var holder: Incarnation?

    init(path: String, options: SQLiteLeaseStore.Options, hooks: CommitHooks, entropy: LeaseEntropy) {
        self.path = DatabaseFile.absolute(path)
        self.options = options
        self.hooks = hooks
        self.entropy = entropy
    }

    // MARK: - Running

    /// Runs jobs in the order they came; neighbours share a transaction.
    func run(_ jobs: [any Job]) {
        var together: [any Job] = []
        for job in jobs {
            if job.isAlone {
                runTogether(together)
                together.removeAll()
                runAlone(job)
            } else {
                together.append(job)
            }
        }
        runTogether(together)
    }

    private func runAlone(_ job: any Job) {
        do {
            try job.run(self)
        } catch {
            return job.fail(translated(error))
        }
        job.succeed()
    }

    private func runTogether(_ jobs: [any Job]) {
        if jobs.isEmpty { return }
        do {
            try transaction { for job in jobs { try job.run(self) } }
        } catch let error as CommitTrouble {
            for job in jobs { job.fail(error.error) }
            return
        } catch {
            if jobs.count == 1 { return jobs[0].fail(translated(error)) }
            // One of them failed and took the others along: each gets a transaction of its own.
            for job in jobs { runTogether([job]) }
            return
        }
        for job in jobs { job.succeed() }
    }

    /// Trouble at the commit itself, which concerns everybody in the transaction.
    private struct CommitTrouble: Error {
        let error: StoreError
    }

    /// Runs `body` in a transaction: all of it is done and synced when this returns, or nothing was done.
    func transaction(_ body: () throws -> Void) throws {
        guard let session else { throw Self.notOpen(path) }
        guard let trouble = try attempt(session, body) else { return }
        session.disconnect(doubting: trouble.mark)
        try settle(trouble, session)
    }

    /// A commit that failed, and may be in the file all the same.
    private struct DoubtfulCommit {
        let failure: SQLiteFailure
        /// The count of commits that the database has if this one is in it.
        let mark: Int64
    }

    /// Nil when the transaction is done.
    private func attempt(_ session: Session, _ body: () throws -> Void) throws -> DoubtfulCommit? {
        let table = try session.reconnected()
        do {
            if let statements = hooks.begin?() { try table.connection.execute(statements, "set up a test") }
            try table.connection.execute("BEGIN IMMEDIATE", "begin a transaction")
            try body()
            try table.flush()
        } catch {
            rollBack(session, table, error)
            throw error
        }
        let (hasChanges, mark) = (table.hasChanges, table.life.mark)
        do {
            if hasChanges {
                guard session.file.isInPlace else { throw Session.moved(path) }
                try session.secureLog(of: table)
                if let code = hooks.before?() { throw SQLiteFailure(code: code, action: "commit") }
            }
            try table.connection.execute("COMMIT", "commit")
        } catch let failure as SQLiteFailure {
            rollBack(session, table, failure)
            if failure.isOfDisk { return DoubtfulCommit(failure: failure, mark: mark) }
            throw CommitTrouble(error: failure.storeError(file: path))
        } catch {
            rollBack(session, table, error)
            // The file is not there any more, or another one is: it is looked for again at the next call.
            session.disconnect()
            throw CommitTrouble(error: error as? StoreError ?? Session.moved(path))
        }
        if hasChanges, let code = hooks.after?() {
            session.disconnect(doubting: mark)
            throw CommitTrouble(error: SQLiteFailure(code: code, action: "commit").lostAnswer(file: path))
        }
        if hasChanges { session.committed(table.life) }
        table.settle()
        return nil
    }

    /// Finds out what became of a commit: done when this returns.
    ///
    /// Whoever opens the file next believes what it holds, so that alone counts. It is read again at once, and if it holds the
    /// commit, that is made safe before it is told.
    private func settle(_ commit: DoubtfulCommit, _ session: Session) throws(CommitTrouble) {
        guard let table = try? session.reconnected() else {
            throw CommitTrouble(error: commit.failure.lostAnswer(file: path))
        }
        if table.life.mark < commit.mark { throw CommitTrouble(error: commit.failure.storeError(file: path)) }
        session.committed(table.life)
    }

    private func rollBack(_ session: Session, _ table: LeaseTable, _ error: any Error) {
        do {
            if table.connection.isInTransaction { try table.connection.execute("ROLLBACK", "roll back") }
            try table.reload()
        } catch {
            return session.disconnect()
        }
        // What a failing disk holds is known only by reading it again.
        if let failure = error as? SQLiteFailure, failure.isOfDisk { session.disconnect() }
    }

    private func translated(_ error: any Error) -> any Error {
        switch error {
        case let failure as SQLiteFailure: failure.storeError(file: path)
        case let trouble as CommitTrouble: trouble.error
        default: error
        }
    }

    // MARK: - What jobs may do

    /// The table, for a call that reads.
    func table() throws -> LeaseTable {
        guard let table = session?.table, holder != nil else { throw Self.notOpen(path) }
        return table
    }

    /// The table, for work that needs no transaction around it: opened again if there was trouble before.
    func tableAlone() throws -> LeaseTable {
        guard let session, holder != nil else { throw Self.notOpen(path) }
        return try session.reconnected()
    }

    /// The table, for a call that writes.
    func table(for context: StoreContext) throws -> LeaseTable {
        let table = try table()
        if context.incarnation == holder { return table }
        throw StoreError(
            .unavailable,
            "\(context.incarnation) does not have the lease database \(path) open any more; open it again, or stop this manager"
        )
    }

    func open(at reading: TimeReading) throws -> StoreOpening {
        let isFirst = session == nil
        if isFirst {
            session = try Session(path, options, disk: hooks.disk) { LeaseID.random(using: entropy).text }
        }
        do {
            var opening: StoreOpening?
            try transaction {
                guard let session, let table = session.table else { throw Self.notOpen(path) }
                if isFirst, table.life.doubt == nil { table.life.doubt = session.epochFile.doubt(about: table.life) }
                opening = try table.open(at: reading)
            }
            guard let opening else { throw Self.notOpen(path) }
            holder = opening.incarnation
            return opening
        } catch {
            if isFirst {
                session?.disconnect()
                session = nil
            }
            throw error
        }
    }

    /// Closes the database for the manager that has it open; for any other nothing is done.
    func close(_ incarnation: Incarnation) {
        guard holder == incarnation else { return }
        session?.close()
        drop()
    }

    /// Lets go of everything, whoever has it open.
    func drop() {
        // SQLite's locks go before ours, or the next one might be let in and then find the file busy.
        session?.disconnect()
        (session, holder) = (nil, nil)
    }

    private static func notOpen(_ path: String) -> StoreError {
        StoreError(.unavailable, "the lease database \(path) is not open; call open(at:) first")
    }
}
