// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitPostgres

/// Values are quoted by where their placeholders stand.
@Suite struct StatementTemplateTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let written: [String]

        var testDescription: String { text }
    }

    static let values: [Placeholder: String] = [
        .name: "o\"k", .username: "o\"k", .password: "p'w\\d", .expiration: "2026-01-01T00:00:00Z",
    ]

    static let rows: [Row] = [
        Row(
            text: #"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' INHERIT;"#,
            written: [
                #"CREATE ROLE "o""k" WITH LOGIN PASSWORD 'p''w\d' VALID UNTIL '2026-01-01T00:00:00Z' INHERIT"#
            ]
        ),
        Row(
            text: "CREATE ROLE {{name}} PASSWORD {{password}} VALID UNTIL {{expiration}}",
            written: [#"CREATE ROLE "o""k" PASSWORD  E'p''w\\d' VALID UNTIL '2026-01-01T00:00:00Z'"#]
        ),
        Row(text: #"ALTER ROLE x PASSWORD E'{{password}}'"#, written: [#"ALTER ROLE x PASSWORD E'p''w\\d'"#]),
        Row(text: "CREATE SCHEMA App_{{name}}_X", written: [#"CREATE SCHEMA "app_o""k_x""#]),
        Row(text: "SELECT '{{ username }}'", written: [#"SELECT 'o"k'"#]),
        Row(text: "SELECT 1 -- for {{name}}\n;", written: ["SELECT 1"]),
        Row(text: "SELECT /* {{name}} */ 1", written: ["SELECT /* {{name}} */ 1"]),
        Row(text: "SELECT '{{1,2},{3,4}}'::int[]", written: ["SELECT '{{1,2},{3,4}}'::int[]"]),
        Row(
            text: "DO $$ BEGIN CREATE ROLE {{name}} PASSWORD '{{password}}'; END $$; SELECT 1",
            written: [#"DO $$ BEGIN CREATE ROLE "o""k" PASSWORD 'p''w\d'; END $$"#, "SELECT 1"]
        ),
        Row(text: "SELECT $${{expiration}}$$", written: ["SELECT $$2026-01-01T00:00:00Z$$"]),
        Row(
            text: #"DO $a$ BEGIN EXECUTE $q$GRANT x TO "{{name}}"$q$; END $a$"#,
            written: [#"DO $a$ BEGIN EXECUTE $q$GRANT x TO "o"k"$q$; END $a$"#]
        ),
    ]

    @Test(arguments: rows)
    func writes(_ row: Row) throws {
        #expect(try StatementTemplate.all(in: row.text).map { try $0.text(Self.values) } == row.written)
    }

    @Test(arguments: ["DROP ROLE {{nme}}", "SELECT x{{password}}", "SELECT {{name}}{{name}}", "SELECT '{{Name}}'"])
    func refuses(_ text: String) {
        #expect(throws: SQLTextError.self) { try StatementTemplate.all(in: text) }
    }

    @Test func aValueIsNotReadAgain() throws {
        let template = try #require(try StatementTemplate.all(in: "SELECT '{{name}}', '{{password}}'").first)
        #expect(try template.text([.name: "{{password}}", .password: "p"]) == "SELECT '{{password}}', 'p'")
    }

    @Test func aValueDoesNotCloseDollarQuotes() throws {
        let template = try #require(try StatementTemplate.all(in: "SELECT $${{password}}$$").first)
        #expect(throws: SQLTextError.self) { try template.text([.password: "a$$; DROP TABLE x"]) }
        #expect(throws: SQLTextError.self) { try template.text([.password: "a$"]) }
    }
}

/// Names of users keep what makes them unique.
@Suite struct UserNameTests {
    private let lease = LeaseID(high: 1, low: 2)

    @Test func hasTheIDWhole() {
        let name = UserNameTemplate().name(of: lease, role: "App Reader!", label: "büro-7")
        #expect(name == "lk_\(lease.text)_app_reader_b_ro_7")
    }

    @Test func cutsThePartForPeople() {
        let template = UserNameTemplate(prefix: "a234567890123456", parts: [.text("x"), .role, .label])
        let name = template.name(
            of: lease,
            role: String(repeating: "é", count: 80),
            label: String(repeating: "y", count: 80)
        )
        #expect(name.utf8.count <= 63)
        #expect(name.contains(lease.text))
        #expect(name.hasPrefix("a234567890123456_\(lease.text)_x_y"))
    }

    @Test(arguments: ["", "1a", "A", "a-b", "ä", "a2345678901234567"])
    func refusesOtherPrefixes(_ prefix: String) {
        #expect(!UserNameTemplate(prefix: prefix).isValid)
    }
}

/// The comment says whose a role is.
@Suite struct RoleTagTests {
    private let mark = LeaseMark(deployment: "my shop=1%", lease: LeaseID(high: 3, low: 4), epoch: 7)

    @Test func comesBack() throws {
        let made = LeaseInstant(secondsSinceEpoch: 1_790_000_000)
        let tag = RoleTag(mark: mark, role: "app ü", madeAt: made, until: made + .seconds(60))
        let read = try #require(RoleTag(tag.text))
        #expect(read.mark == mark)
        #expect(read.role == "app ü")
        #expect(read.madeAt == made)
        #expect(tag.text.hasPrefix(RoleTag.prefix(of: mark)))
    }

    @Test func theEpochIsNotPartOfWhoseItIs() {
        var later = mark
        later.epoch = 8
        #expect(RoleTag.prefix(of: mark) == RoleTag.prefix(of: later))
    }

    @Test func oneDeploymentIsNotTheBeginningOfAnother() {
        let other = LeaseMark(deployment: "my shop=1%2", lease: mark.lease, epoch: 7)
        #expect(
            !RoleTag(mark: other, role: "", madeAt: nil, until: nil).text.hasPrefix(RoleTag.prefix(of: "my shop=1%"))
        )
    }

    @Test(arguments: ["", "leasekit/1", "leasekit/1 a b epoch=1", "leasekit/2 a 0", "a comment"])
    func otherCommentsAreNone(_ text: String) {
        #expect(RoleTag(text) == nil)
    }
}

/// A role that cannot work is refused with what to do.
@Suite struct PostgresRoleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let code: PostgresRoleError.Code
        let role: PostgresRole
        var name = "app"

        var testDescription: String { code.description }
    }

    private static let good = "CREATE ROLE {{name}} LOGIN PASSWORD {{password}}"

    static let rows: [Row] = [
        Row(code: .invalidName, role: PostgresRole(.memberOf("g")), name: "a/b"),
        Row(code: .invalidName, role: PostgresRole(.memberOf("g")), name: ""),
        Row(code: .invalidLimits, role: PostgresRole(.memberOf("g"), ttl: .zero)),
        Row(code: .invalidLimits, role: PostgresRole(.memberOf("g"), ttl: .seconds(2), maximum: .seconds(1))),
        Row(code: .invalidUserName, role: PostgresRole(.memberOf("g"), userName: UserNameTemplate(prefix: "X"))),
        Row(code: .invalidTarget, role: PostgresRole(.memberOf())),
        Row(code: .invalidTarget, role: PostgresRole(.memberOf("g"), ownedObjects: .reassign(to: ""))),
        Row(code: .invalidTarget, role: PostgresRole(.memberOf("g"), databases: [""])),
        Row(code: .invalidSetting, role: PostgresRole(.memberOf("g"), settings: ["a b": "1"])),
        Row(code: .invalidConnectionLimit, role: PostgresRole(.memberOf("g"), connectionLimit: -1)),
        Row(code: .invalidStatement, role: PostgresRole(.statements(creation: good + " 'x"))),
        Row(code: .invalidStatement, role: PostgresRole(.statements(creation: good, revocation: ["x '{{password}}'"]))),
        Row(code: .makesNoUser, role: PostgresRole(.statements(creation: "SELECT 1"))),
        Row(code: .makesNoUser, role: PostgresRole(.statements(creation: "CREATE ROLE {{name}}"))),
        Row(code: .transactionControl, role: PostgresRole(.statements(creation: "BEGIN; \(good); COMMIT"))),
    ]

    @Test(arguments: rows)
    func refuses(_ row: Row) throws {
        let error = try #require(throws: PostgresRoleError.self) { try CompiledRole(row.role, named: row.name) }
        #expect(error.code == row.code, "\(error)")
    }

    @Test func thePlanForTheEndComesBack() throws {
        let plan = EndingPlan(owned: .reassign(to: "owner \"x\""), statements: ["DROP OWNED BY {{name}}; x", "ü"])
        #expect(EndingPlan(plan.bytes) == plan)
        #expect(EndingPlan([]) == nil)
        #expect(EndingPlan(Array("1:2,".utf8)) == nil)
    }

    @Test func theHandleComesBack() throws {
        let handle = PostgresHandle(name: "lk_a", role: "app", issueDeadline: LeaseInstant(secondsSinceEpoch: 5))
        #expect(try PostgresHandle(handleBytes: handle.handleBytes) == handle)
        let bare = PostgresHandle(name: "lk_a", role: "", issueDeadline: nil)
        #expect(try PostgresHandle(handleBytes: bare.handleBytes) == bare)
        #expect(throws: LeaseError.self) { try PostgresHandle(handleBytes: [1, 2, 3]) }
    }
}
