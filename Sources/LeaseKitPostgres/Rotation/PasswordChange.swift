// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Gives a role a new password, and proves that it opens the server before the old one is forgotten.
struct PasswordChange: Sendable {
    let user: String
    let password: SecretText
    let iterations: Int
    let timeout: Duration

    /// The change is not there: it was refused, or taken back.
    struct Undone: Error {
        let cause: PostgresError
    }

    /// Sets the password, logs in with it, and sets the old one again if the server does not take the new one.
    ///
    /// - Parameters:
    ///   - client: Logs in as somebody who may change it, with whichever password is right.
    ///   - configuration: How to reach the server, to try the new one.
    ///   - old: What to go back to; nil when that is not known.
    func perform(
        over client: any PostgresClient,
        _ configuration: PostgresConfiguration,
        restoring old: SecretText?
    ) async throws {
        let statement = try setting(password)
        // One of other characters than ours cannot be set again: then there is no way back, only forward.
        let back = old.flatMap { try? setting($0) }
        try await client.withSession(database: nil, timeout: timeout) { session in
            do { _ = try await session.transaction([statement]) } catch let error as PostgresError {
                throw error.isRetryable ? error : Undone(cause: error)
            }
            do { try await logIn(configuration) } catch let error as PostgresError {
                // Only a server that says no, and that to this login, is a reason to go back.
                guard let back, error.category == "28" else { throw error }
                _ = try await session.transaction([back])
                throw Undone(cause: error)
            }
        }
    }

    /// Shows that the password opens the server.
    private func logIn(_ configuration: PostgresConfiguration) async throws {
        var trial = configuration
        let login = PostgresConfiguration.Login(user: user, password: password)
        trial.login = { login }
        trial.maxConnections = 1
        let client = LibPQClient(trial)
        do {
            _ = try await client.withSession(database: nil, timeout: timeout) { try await $0.run(["SELECT 1"]) }
        } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
            // It may not use this database, which it is told after the password was found right.
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private func setting(_ password: SecretText) throws -> PostgresStatement {
        let verifier = try SCRAMVerifier(password, iterations: iterations)
        return PostgresStatement(
            "ALTER ROLE \(SQLQuoting.name(user)) PASSWORD \(verifier.text.withText(SQLQuoting.literal))"
        )
    }
}

extension PasswordPolicy {
    /// Before anything is staged.
    func requireUsable(with iterations: Int) throws(PostgresError) {
        var trouble = trouble
        if !(1...100_000).contains(iterations) { trouble = "its iterations are \(iterations); take 1 to 100,000" }
        guard let trouble else { return }
        throw PostgresError(.denied, scope: .lease, code: "policy", "no password is made: \(trouble)")
    }
}

extension PostgresError {
    fileprivate var category: String? { sqlState?.category }
}
