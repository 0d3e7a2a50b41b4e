// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What is said on a connection for one job: sends its statements, sorts the answers, and knows what is open when it breaks.
final class Exchange {
    /// What was sent and has not been answered, in its order.
    private enum Slot {
        case begin
        /// The server is to keep the text of a statement, which follows.
        case preparation(of: Int, name: String)
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
    /// The transactions that are not over yet, by the number of statements in each.
    private var groups: ArraySlice<Int> = []
    /// What the statements of the first of them answered: it counts once that one is over.
    private var uncommitted: Job.Outcome = []
    /// Why an earlier one was not carried out, so that none is begun any more.
    private var firstFailure: PostgresError?
    /// What a statement answered whose commit is not confirmed yet.
    private var provisional: (Int, Result<PostgresResult, PostgresError>)?
    /// Why the transaction is not carried out.
    private var failure: PostgresError?
    private let prepares: Bool

    init(_ job: Job, on wire: Wire, prepares: Bool) {
        self.job = job
        self.wire = wire
        // Inside a transaction of the caller's own, a statement that cannot be kept would end it.
        switch job.style {
        case .transactions(let counts):
            groups = counts[...]
            self.prepares = prepares
        case .attempt: self.prepares = prepares && !wire.isInTransaction
        case .run: self.prepares = false
        }
        wasInTransaction = wire.isInTransaction
    }

    /// Queues what can be sent at once; false when the connection is broken.
    func begin() -> Bool {
        switch job.style {
        case .run:
            return send(statement: 0) && sync()
        case .attempt:
            return job.statements.indices.allSatisfy { send(statement: $0) && sync() }
        case .transactions(let counts):
            var next = 0
            for count in counts {
                slots.append(.begin)
                let statements = next..<(next + count)
                guard wire.send("BEGIN ISOLATION LEVEL READ COMMITTED"), statements.allSatisfy(send(statement:)),
                    sendCommit(), sync()
                else {
                    return false
                }
                next += count
            }
            return true
        }
    }

    private func send(statement index: Int) -> Bool {
        let statement = job.statements[index]
        var name: String?
        if prepares, statement.isRepeated {
            name = wire.prepared[statement.text]
            // Where it comes twice in one job, the second is sent as it is: whether the first was kept is not known yet.
            if name == nil, !isPreparing(statement.text), let new = wire.prepared.newName() {
                slots.append(.preparation(of: index, name: new))
                guard wire.prepare(statement.text, as: new) else { return false }
                name = new
            }
        }
        slots.append(.statement(index))
        return wire.send(statement, name: name)
    }

    private func isPreparing(_ text: String) -> Bool {
        slots.contains { if case .preparation(let index, _) = $0 { job.statements[index].text == text } else { false } }
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
                if empty > 2 * job.statements.count + 8 { return .broken(lost(.connectionLost)) }
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
        case .preparation(let index, let name):
            wire.prepared.add(job.statements[index].text, as: name)
        case .statement where job.style.isTransactional:
            uncommitted.append(.success(result))
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
        // Whoever tries again has it prepared anew.
        if error.sqlState == .undefinedStatement { wire.prepared.forget() }
        switch slots.first {
        case .statement(let index), .preparation(let index, _): error = error.at(statement: index)
        default: break
        }
        if job.style.isTransactional {
            // One that comes after a failure is not begun: the server says so of its beginning.
            failure = failure ?? firstFailure ?? error
        } else {
            let index = provisional?.0 ?? outcomes.count
            provisional = (index, .failure(error.at(statement: index)))
        }
    }

    /// Everything up to a sync has been answered; nil when more is to come.
    private func synchronized() -> Step? {
        if job.style.isTransactional { return ended() }
        if let (_, outcome) = provisional { outcomes.append(outcome) }
        provisional = nil
        if outcomes.count == job.statements.count { return .finished(outcomes) }
        guard job.style == .run else { return nil }
        if case .failure = outcomes.last { return .finished(outcomes) }
        return send(statement: outcomes.count) && sync() ? nil : .broken(lost(.connectionLost))
    }

    /// A transaction is over; nil when more is to come.
    private func ended() -> Step? {
        if let count = groups.popFirst() {
            outcomes += failure.map { [Result.failure($0)].repeated(count) } ?? uncommitted
            firstFailure = firstFailure ?? failure
            (failure, uncommitted) = (nil, [])
            if !groups.isEmpty { return nil }
        }
        if firstFailure == nil || wire.isIdle || wire.isBroken { return .finished(outcomes) }
        slots.append(.rollback)
        return wire.send("ROLLBACK") && sync() ? nil : .broken(outcomes)
    }

    // MARK: - Loss

    enum Loss { case connectionLost, noAnswer }

    /// What to answer when no answer comes any more.
    func lost(_ loss: Loss) -> Job.Outcome {
        if case .transactions = job.style, groups.isEmpty { return outcomes }
        if let failure = failure ?? firstFailure { return missing(failure) }
        // What the server was to commit on its own may have been done. Inside a transaction nothing is, before its end.
        let isAmbiguous =
            switch job.style {
            case .transactions: true
            case .run, .attempt: !wasInTransaction || job.statements.contains { $0.commits }
            }
        let error: PostgresError =
            switch loss {
            case .connectionLost: .connectionLost(isAmbiguous: isAmbiguous)
            case .noAnswer: .noAnswer(isAmbiguous: isAmbiguous)
            }
        switch job.style {
        case .transactions:
            return missing(error)
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

    /// What is known, and the same failure for everything else.
    private func missing(_ failure: PostgresError) -> Job.Outcome {
        outcomes + [Result.failure(failure)].repeated(max(1, job.statements.count - outcomes.count))
    }
}

extension Array {
    fileprivate func repeated(_ count: Int) -> [Element] { (0..<count).flatMap { _ in self } }
}
