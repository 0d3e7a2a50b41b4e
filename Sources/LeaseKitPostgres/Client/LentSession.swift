// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A session's side of a connection: hands each call to the thread, and waits for the answer.
final class LentSession: PostgresSession {
    private let id: UInt64
    private let database: String?
    private let deadline: Duration
    private let mailbox: Mailbox
    /// Jobs are numbered in the order in which they were asked for.
    private let numbers: Locked<UInt64>
    private let isOver = Locked(false)

    init(id: UInt64, database: String?, deadline: Duration, mailbox: Mailbox, numbers: Locked<UInt64>) {
        self.id = id
        self.database = database
        self.deadline = deadline
        self.mailbox = mailbox
        self.numbers = numbers
    }

    func end() {
        isOver.withLock { $0 = true }
        mailbox.post(.giveBack(session: id))
    }

    func run(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult] {
        try await results(.run, statements)
    }

    func transaction(_ statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult] {
        try await results(.transactions([statements.count]), statements)
    }

    func attempt(_ statements: [PostgresStatement]) async -> [Result<PostgresResult, PostgresError>] {
        let outcome = await perform(.attempt, statements)
        // Refused as a whole.
        if outcome.count < statements.count, let only = outcome.first { return statements.map { _ in only } }
        return outcome
    }

    func transactions(_ groups: [[PostgresStatement]]) async -> [Result<[PostgresResult], PostgresError>] {
        let outcome = await perform(.transactions(groups.map(\.count)), groups.flatMap(\.self))
        // Refused as a whole, all have the one answer.
        if outcome.count < groups.reduce(0, { $0 + $1.count }) { return groups.map { _ in Self.together(outcome) } }
        var rest = outcome[...]
        return groups.map { group in
            defer { rest = rest.dropFirst(group.count) }
            return Self.together(rest.prefix(group.count))
        }
    }

    private static func together(
        _ outcomes: some Sequence<Result<PostgresResult, PostgresError>>
    ) -> Result<[PostgresResult], PostgresError> {
        var results: [PostgresResult] = []
        for outcome in outcomes {
            switch outcome {
            case .success(let result): results.append(result)
            case .failure(let error): return .failure(error)
            }
        }
        return .success(results)
    }

    private func results(
        _ style: Job.Style,
        _ statements: [PostgresStatement]
    ) async throws(PostgresError) -> [PostgresResult] {
        var results: [PostgresResult] = []
        for outcome in await perform(style, statements) { results.append(try outcome.get()) }
        return results
    }

    private func perform(_ style: Job.Style, _ statements: [PostgresStatement]) async -> Job.Outcome {
        if statements.isEmpty { return [] }
        if isOver.withLock({ $0 }) { return [.failure(.sessionOver)] }
        let isCancelled = Locked(Task.isCancelled)
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let job = Job(
                    id: number,
                    session: id,
                    database: database,
                    style: style,
                    statements: statements,
                    deadline: deadline,
                    isCancelled: isCancelled,
                    reply: { continuation.resume(returning: $0) }
                )
                if !mailbox.post(.run(job)) { continuation.resume(returning: [.failure(.closed)]) }
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
            mailbox.post(.cancel(job: number))
        }
    }
}
