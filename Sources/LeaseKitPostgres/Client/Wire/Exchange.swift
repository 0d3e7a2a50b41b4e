// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What is said on a connection for one job: sends its statements, sorts the answers, and knows what is open when it breaks.
final class Exchange {
    /// What was sent and has not been answered, in its order.
    private enum Slot {
        case begin
        case statement(Int)
        case commit
        case rollback
        case sync
    }

    enum Step {
        case waiting
        case finished(Job.Outcome)
        /// The connection is of no use any more.
        case broken(Job.Outcome)
    }

    let job: Job
    /// When the patience ends with which an answer to being cancelled is waited for; nil while it was not cancelled.
    var givesUpAt: Duration?

    private let wire: Wire
    private let wasInTransaction: Bool
    private var slots: ArraySlice<Slot> = []
    private var outcomes: Job.Outcome = []
    /// What a statement answered whose commit is not confirmed yet.
    private var provisional: (Int, Result<PostgresResult, PostgresError>)?
    /// Why the transaction is not carried out.
    private var failure: PostgresError?

    init(_ job: Job, on wire: Wire) {
        self.job = job
        self.wire = wire
        wasInTransaction = wire.isInTransaction
    }

    /// Queues what can be sent at once; false when the connection is broken.
    func begin() -> Bool {
        switch job.style {
        case .run:
            return send(statement: 0) && sync()
        case .attempt:
            return job.statements.indices.allSatisfy { send(statement: $0) && sync() }
        case .transaction:
            slots.append(.begin)
            return wire.send("BEGIN") && job.statements.indices.allSatisfy(send(statement:)) && sendCommit() && sync()
        }
    }

    private func send(statement index: Int) -> Bool {
        slots.append(.statement(index))
        return wire.send(job.statements[index])
    }

    private func sendCommit() -> Bool {
        slots.append(.commit)
        return wire.send("COMMIT")
    }

    private func sync() -> Bool {
        slots.append(.sync)
        return wire.sync()
    }

    /// Takes in what has arrived.
    func read() -> Step {
        // Also of a broken connection the last words count.
        _ = wire.consume()
        var empty = 0
        while !wire.isBusy {
            guard let answer = wire.next() else {
                empty += 1
                if case .sync = slots.first {} else { _ = slots.popFirst() }
                // Nothing more comes of this connection.
                if empty > job.statements.count + 8 { return .broken(lost(.connectionLost)) }
                continue
            }
            switch answer {
            case .sync:
                empty = 0
                slots.removeFirst()
                if let step = synchronized() { return step }
            case .failed(nil, _, _):
                return .broken(lost(.connectionLost))
            case .unsupported:
                failure = .misuse("a statement that copies data does not work here")
                return .broken(lost(.connectionLost))
            case .failed(let state?, let text, let detail):
                failed(PostgresError(sqlState: state, during: phase, text: text, detail: detail))
            case .done(let result, let tag):
                done(result, tag)
            case .skipped:
                break
            }
        }
        return .waiting
    }

    private var phase: PostgresError.Phase {
        switch slots.first {
        case .commit, .sync, nil: .committing
        case .statement(let index): job.statements[index].commits ? .committing : .running
        default: .running
        }
    }

    private func done(_ result: PostgresResult, _ tag: String) {
        switch slots.first {
        case .statement(let index) where job.style == .transaction:
            if outcomes.count == index { outcomes.append(.success(result)) }
            if tag == "COMMIT" || tag == "BEGIN" { failure = failure ?? .endsItself }
        case .statement(let index):
            provisional = (index, .success(result))
        case .commit where tag != "COMMIT":
            failure = failure ?? .endsItself
        default:
            break
        }
    }

    private func failed(_ error: PostgresError) {
        var error = error
        if error.sqlState == .queryCancelled, givesUpAt != nil {
            error = PostgresError(
                error.kind,
                scope: error.scope,
                sqlState: .queryCancelled,
                "the statement ran out of time and was cancelled"
            )
        }
        if case .statement(let index) = slots.first { error = error.at(statement: index) }
        if job.style == .transaction {
            failure = failure ?? error
        } else {
            let index = provisional?.0 ?? outcomes.count
            provisional = (index, .failure(error.at(statement: index)))
        }
    }

    /// Everything up to a sync has been answered; nil when more is to come.
    private func synchronized() -> Step? {
        if job.style == .transaction {
            guard let failure else { return .finished(outcomes) }
            if wire.isIdle || wire.isBroken { return .finished([.failure(failure)]) }
            slots.append(.rollback)
            return wire.send("ROLLBACK") && sync() ? nil : .broken([.failure(failure)])
        }
        if let (_, outcome) = provisional { outcomes.append(outcome) }
        provisional = nil
        if outcomes.count == job.statements.count { return .finished(outcomes) }
        guard job.style == .run else { return nil }
        if case .failure = outcomes.last { return .finished(outcomes) }
        return send(statement: outcomes.count) && sync() ? nil : .broken(lost(.connectionLost))
    }

    // MARK: - Loss

    enum Loss { case connectionLost, noAnswer }

    /// What to answer when no answer comes any more.
    func lost(_ loss: Loss) -> Job.Outcome {
        if let failure { return [.failure(failure)] }
        // What the server was to commit on its own may have been done. Inside a transaction nothing is, before its end.
        let isAmbiguous =
            switch job.style {
            case .transaction: true
            case .run, .attempt: !wasInTransaction || job.statements.contains { $0.commits }
            }
        let error: PostgresError =
            switch loss {
            case .connectionLost: .connectionLost(isAmbiguous: isAmbiguous)
            case .noAnswer: .noAnswer(isAmbiguous: isAmbiguous)
            }
        switch job.style {
        case .transaction:
            return [.failure(error)]
        case .run:
            if let (_, outcome) = provisional, case .failure = outcome { return outcomes + [outcome] }
            return outcomes + [.failure(error.at(statement: outcomes.count))]
        case .attempt:
            var all = outcomes
            if let (_, outcome) = provisional, case .failure = outcome { all.append(outcome) }
            while all.count < job.statements.count { all.append(.failure(error.at(statement: all.count))) }
            return all
        }
    }
}
