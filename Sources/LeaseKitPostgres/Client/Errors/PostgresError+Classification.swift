// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension PostgresError {
    /// When the server answered.
    public struct Phase: Hashable, Sendable {
        private let name: String

        /// While the connection was being made.
        public static let connecting = Phase(name: "connecting")
        /// While a statement ran that is not a `COMMIT`.
        public static let running = Phase(name: "running")
        /// After a `COMMIT` was sent.
        public static let committing = Phase(name: "committing")
    }

    /// Reads what a server answered: the one table of SQLSTATEs.
    ///
    /// - Parameters:
    ///   - sqlState: The code.
    ///   - phase: When it came.
    ///   - text: The server's own sentence. It tells apart internal errors, and is shown where it can name nothing but
    ///     objects and roles.
    ///   - detail: The server's details, such as the objects that depend on a role.
    public init(sqlState: SQLState, during phase: Phase, text: String? = nil, detail: String? = nil) {
        let (kind, scope) = Self.meaning(of: sqlState, during: phase, text: text)
        var message = Self.sentence(for: sqlState)
        if Self.namesOnly.contains(sqlState.description) {
            let words = [text, detail].compactMap { $0 }.joined(separator: "; ")
            if !words.isEmpty { message += ": " + Self.cut(words) }
        }
        self.init(kind, scope: scope, sqlState: sqlState, message)
    }

    private static func meaning(
        of state: SQLState,
        during phase: Phase,
        text: String?
    ) -> (Kind, BackendFailure.Scope) {
        // Whoever cannot connect cannot do anything there, whatever the reason.
        if phase == .connecting {
            let isTransient = ["08", "53", "55", "57", "58", "XX"].contains(state.category)
            return (isTransient ? .transient : .denied, .target)
        }
        switch state {
        case .completionUnknown:
            return (.ambiguous, .lease)
        // The server ends the connection with these: a commit that was on its way may have come before.
        case .adminShutdown, .crashShutdown, .cannotConnectNow, .databaseDropped:
            return (phase == .committing ? .ambiguous : .transient, .target)
        case .readOnly:
            return (.transient, .target)
        case .serializationFailure, .deadlock, .lockNotAvailable, .undefinedStatement:
            return (.conflict, .lease)
        case .internalError:
            let isConflict = text.map { $0.hasPrefix("tuple concurrently ") } ?? false
            return (isConflict ? .conflict : .transient, .lease)
        case .queryCancelled, .objectInUse:
            return (.transient, .lease)
        case .undefinedObject:
            return (.gone, .lease)
        case .insufficientPrivilege, .dependentObjects, .invalidPassword, .invalidAuthorization:
            return (.denied, .lease)
        default:
            break
        }
        switch state.category {
        case "08": return (phase == .committing ? .ambiguous : .transient, .target)
        case "53", "57", "58": return (.transient, .target)
        case "40": return (.conflict, .lease)
        case "XX", "55", "25": return (.transient, .lease)
        default: return (.refused, .lease)
        }
    }

    /// Conditions whose words name objects and roles and repeat nothing of a statement.
    private static let namesOnly: Set = [
        "2BP01", "3D000", "3F000", "42501", "42704", "42710", "42P01", "42P06", "42P07", "0LP01", "0P000",
    ]

    private static func cut(_ words: String) -> String {
        let line = words.split(whereSeparator: \.isNewline).joined(separator: ", ")
        return line.count <= 480 ? line : line.prefix(479) + "…"
    }

    private static func sentence(for state: SQLState) -> String {
        switch state {
        case .invalidPassword: "the server refused the password"
        case .invalidAuthorization: "the server refused the login"
        case .invalidCatalogName: "there is no such database"
        case .dependentObjects: "other objects depend on it"
        case .readOnly: "the server is read-only"
        case .serializationFailure: "another transaction came first"
        case .deadlock: "it waited for another transaction, and that one for it"
        case .completionUnknown: "the server cannot say whether it was done"
        case .insufficientPrivilege: "the admin lacks a right"
        case .undefinedObject: "it does not exist"
        case .duplicateObject: "it exists already"
        case .tooManyConnections: "the server takes no more connections"
        case .programLimitExceeded: "a limit of the server is reached"
        case .objectInUse: "it is in use"
        case .lockNotAvailable: "a lock was not to be had in time"
        case .queryCancelled: "the statement was cancelled"
        case .undefinedStatement: "the connection is not the one that knew the statement"
        case .adminShutdown, .crashShutdown: "the server ended the connection"
        case .cannotConnectNow: "the server is starting or stopping"
        case .databaseDropped: "the database was dropped"
        case .internalError: "an internal error of the server"
        default: sentence(forCategory: state.category)
        }
    }

    private static func sentence(forCategory category: String) -> String {
        switch category {
        case "08": "the connection failed"
        case "22": "a value is not what the statement needs"
        case "23": "a constraint refuses it"
        case "25": "the transaction is not in the state that the statement needs"
        case "28": "the server refused the login"
        case "42": "the server cannot carry out the statement"
        case "53": "the server lacks room, memory or connections"
        case "54": "a limit of the server is reached"
        case "55": "the object is not in the state that the statement needs"
        case "57": "an operator or the server interrupted it"
        case "58": "the server's system failed"
        case "XX": "an internal error of the server"
        default: "the server refused the statement"
        }
    }
}
