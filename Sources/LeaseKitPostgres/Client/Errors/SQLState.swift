// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The five characters by which PostgreSQL says what went wrong.
public struct SQLState: Hashable, Sendable, CustomStringConvertible {
    /// The code, such as `42704`.
    public let description: String

    /// Takes a code; one that is not five upper-case letters and digits becomes `XX000`, an internal error.
    public init(_ code: String) {
        let isValid =
            code.utf8.count == 5
            && code.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
        description = isValid ? code : "XX000"
    }

    /// The first two characters, which name a class of conditions.
    public var category: String { String(description.prefix(2)) }
}

extension SQLState {
    /// A connection cannot be had, or was lost.
    public static let connectionFailure = SQLState("08006")
    /// The password is wrong, or the role is gone.
    public static let invalidPassword = SQLState("28P01")
    /// The role may not log in.
    public static let invalidAuthorization = SQLState("28000")
    /// No such database.
    public static let invalidCatalogName = SQLState("3D000")
    /// Other objects depend on it.
    public static let dependentObjects = SQLState("2BP01")
    /// The server, or the transaction, is read-only.
    public static let readOnly = SQLState("25006")
    /// The connection has no such prepared statement.
    public static let undefinedStatement = SQLState("26000")
    /// Two transactions cannot both be carried out.
    public static let serializationFailure = SQLState("40001")
    /// Two transactions waited for each other.
    public static let deadlock = SQLState("40P01")
    /// The statement's completion is unknown.
    public static let completionUnknown = SQLState("40003")
    /// The admin lacks a right.
    public static let insufficientPrivilege = SQLState("42501")
    /// No such role, or no such object of another kind.
    public static let undefinedObject = SQLState("42704")
    /// There is one of this name.
    public static let duplicateObject = SQLState("42710")
    /// The server takes no more connections.
    public static let tooManyConnections = SQLState("53300")
    /// A limit of the server, such as that of a row's size.
    public static let programLimitExceeded = SQLState("54000")
    /// Somebody uses it.
    public static let objectInUse = SQLState("55006")
    /// The lock was not to be had in time.
    public static let lockNotAvailable = SQLState("55P03")
    /// The statement was cancelled, or ran out of time.
    public static let queryCancelled = SQLState("57014")
    /// An operator ended the connection.
    public static let adminShutdown = SQLState("57P01")
    /// The server crashed.
    public static let crashShutdown = SQLState("57P02")
    /// The server is starting or stopping.
    public static let cannotConnectNow = SQLState("57P03")
    /// The database of this connection was dropped.
    public static let databaseDropped = SQLState("57P04")
    /// An internal error.
    public static let internalError = SQLState("XX000")
}
