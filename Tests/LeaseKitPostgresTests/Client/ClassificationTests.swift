// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

@Suite struct ClassificationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let state: String
        let phase: PostgresError.Phase
        var text: String?
        let kind: PostgresError.Kind
        let scope: BackendFailure.Scope
        var testDescription: String { "\(state) \(phase)" }
    }

    static let table: [Row] = [
        // No connection: nobody can do anything there.
        Row(state: "28P01", phase: .connecting, kind: .denied, scope: .target),
        Row(state: "28000", phase: .connecting, kind: .denied, scope: .target),
        Row(state: "3D000", phase: .connecting, kind: .denied, scope: .target),
        Row(state: "53300", phase: .connecting, kind: .transient, scope: .target),
        Row(state: "57P03", phase: .connecting, kind: .transient, scope: .target),
        Row(state: "08001", phase: .connecting, kind: .transient, scope: .target),
        // A statement failed, and the server is well.
        Row(state: "42704", phase: .running, kind: .gone, scope: .lease),
        Row(state: "42501", phase: .running, kind: .denied, scope: .lease),
        Row(state: "2BP01", phase: .running, kind: .denied, scope: .lease),
        Row(state: "42601", phase: .running, kind: .refused, scope: .lease),
        Row(state: "42710", phase: .running, kind: .refused, scope: .lease),
        Row(state: "54000", phase: .running, kind: .refused, scope: .lease),
        Row(state: "57014", phase: .running, kind: .transient, scope: .lease),
        Row(state: "55006", phase: .running, kind: .transient, scope: .lease),
        Row(state: "25P02", phase: .running, kind: .transient, scope: .lease),
        // Another session was at the same object.
        Row(state: "40001", phase: .running, kind: .conflict, scope: .lease),
        Row(state: "40P01", phase: .committing, kind: .conflict, scope: .lease),
        Row(state: "55P03", phase: .running, kind: .conflict, scope: .lease),
        Row(state: "XX000", phase: .running, text: "tuple concurrently updated", kind: .conflict, scope: .lease),
        Row(state: "XX000", phase: .running, text: "tuple concurrently deleted", kind: .conflict, scope: .lease),
        Row(state: "XX000", phase: .running, text: "cache lookup failed", kind: .transient, scope: .lease),
        // The server is in trouble.
        Row(state: "25006", phase: .running, kind: .transient, scope: .target),
        Row(state: "53100", phase: .running, kind: .transient, scope: .target),
        Row(state: "53200", phase: .running, kind: .transient, scope: .target),
        Row(state: "58030", phase: .running, kind: .transient, scope: .target),
        Row(state: "57P01", phase: .running, kind: .transient, scope: .target),
        Row(state: "57P02", phase: .running, kind: .transient, scope: .target),
        Row(state: "08006", phase: .running, kind: .transient, scope: .target),
        // Nobody knows whether the commit came first.
        Row(state: "57P01", phase: .committing, kind: .ambiguous, scope: .target),
        Row(state: "57P02", phase: .committing, kind: .ambiguous, scope: .target),
        Row(state: "08006", phase: .committing, kind: .ambiguous, scope: .target),
        Row(state: "40003", phase: .committing, kind: .ambiguous, scope: .lease),
    ]

    @Test(arguments: table) func meansWhatTheTableSays(row: Row) {
        let error = PostgresError(sqlState: SQLState(row.state), during: row.phase, text: row.text)
        #expect(error.kind == row.kind)
        #expect(error.scope == row.scope)
        #expect(error.code == row.state)
    }

    @Test func keepsTheNamesOfWhatDependsOnARole() {
        let error = PostgresError(
            sqlState: .dependentObjects,
            during: .running,
            text: "role \"a\" cannot be dropped because some objects depend on it",
            detail: "owner of table t\nprivileges for schema s"
        )
        #expect(error.description.contains("owner of table t, privileges for schema s"))
    }

    @Test func repeatsNothingOfAStatement() {
        let error = PostgresError(
            sqlState: SQLState("42601"),
            during: .running,
            text: "syntax error at or near \"hunter2\"",
            detail: "hunter2"
        )
        #expect(!"\(error) \(String(reflecting: error)) \(error.backendFailure)".contains("hunter2"))
    }

    @Test(arguments: ["", "4270", "427041", "4270é", "x-000"]) func aCodeThatIsNoneIsAnInternalError(code: String) {
        #expect(SQLState(code) == .internalError)
    }

    @Test func aStatementPrintsNothingOfItself() {
        let statement = PostgresStatement("ALTER ROLE hunter2", ["hunter2", nil])
        var dumped = ""
        dump(statement, to: &dumped)
        let printed = "\(statement) \(String(reflecting: statement)) \([statement]) \(dumped)"
        #expect(!printed.contains("hunter2"))
        #expect(printed.contains("2 parameters"))
    }
}
