// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitAWS

/// Roles that AWS would refuse are refused here, with the bound and the fix.
@Suite struct RoleCheckTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let role: IAMUserRole
        let words: [String]
    }

    private static func policy(_ length: Int) -> String {
        let frame = #"{"Statement":[],"Version":""}"#
        return #"{"Statement":[],"Version":"\#(String(repeating: "x", count: length - frame.utf8.count))"}"#
    }

    static let rows = [
        Row(testDescription: "no JSON", role: .init(policyDocument: "{"), words: ["policyDocument", "no JSON object"]),
        Row(testDescription: "no statement", role: .init(policyDocument: "{}"), words: ["Statement"]),
        // What stands twice would lose one of the two on the way, and AWS could not refuse it any more.
        Row(
            testDescription: "a condition twice",
            role: .init(
                policyDocument: #"{"Statement":[{"Effect":"Allow","Condition":{"Bool":{"a":"x"},"Bool":{"b":"\"y"}}}]}"#
            ),
            words: ["policyDocument", "\"Bool\"", "twice"]
        ),
        Row(
            testDescription: "an effect twice, written otherwise",
            role: .init(policyDocument: #"{"Statement":[{"Effect":"Deny","\u0045ffect":"Allow"}]}"#),
            words: ["policyDocument", "\"Effect\"", "twice"]
        ),
        Row(
            testDescription: "a long policy",
            role: .init(policyDocument: policy(2_048 - DeadMan.length + 1)),
            words: ["2048", "\(DeadMan.length)", "policyARNs"]
        ),
        Row(
            testDescription: "no ARN",
            role: .init(policyARNs: ["ReadOnly"]),
            words: ["arn:aws:iam::ACCOUNT:policy/NAME"]
        ),
        Row(
            testDescription: "a role's ARN as boundary",
            role: .init(permissionsBoundaryARN: "arn:aws:iam::1:role/x"),
            words: ["permissionsBoundaryARN"]
        ),
        Row(
            testDescription: "many policies",
            role: .init(policyARNs: (0..<21).map { "arn:aws:iam::1:policy/p\($0)" }),
            words: ["21", "20", "group"]
        ),
        Row(testDescription: "many groups", role: .init(groups: (0..<11).map { "g\($0)" }), words: ["11", "10"]),
        Row(testDescription: "a group with a slash", role: .init(groups: ["a/b"]), words: ["a/b", "128"]),
        Row(
            testDescription: "many tags",
            role: .init(tags: Dictionary(uniqueKeysWithValues: (0..<48).map { ("k\($0)", "v") })),
            words: ["51", "50"]
        ),
        Row(testDescription: "a tag of ours", role: .init(tags: ["LeaseKit:x": "1"]), words: ["leasekit:"]),
        Row(testDescription: "a tag of theirs", role: .init(tags: ["aws:x": "1"]), words: ["aws:"]),
        Row(
            testDescription: "a long tag",
            role: .init(tags: ["k": String(repeating: "v", count: 257)]),
            words: ["256"]
        ),
        Row(testDescription: "a path without its end", role: .init(path: "/team"), words: ["slash"]),
        Row(testDescription: "a path with a space", role: .init(path: "/te am/"), words: ["slash", "256"]),
        Row(
            testDescription: "a TTL over the maximum",
            role: .init(limits: TTLLimits(ttl: .seconds(2), maximum: .seconds(1))),
            words: ["maximum"]
        ),
    ]

    @Test(arguments: rows) func isRefusedWithBoundAndFix(_ row: Row) {
        let error = #expect(throws: AWSError.self) { try CheckedUserRole(row.role, name: "r", hasDeadMan: true) }
        #expect(error?.code == .outOfBounds)
        for word in row.words + ["role \"r\""] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
    }

    @Test func whatJustFitsIsTaken() throws {
        let longest = Self.policy(2_048 - DeadMan.length)
        _ = try CheckedUserRole(IAMUserRole(policyDocument: longest), name: "r", hasDeadMan: true)
        _ = try CheckedUserRole(IAMUserRole(policyDocument: Self.policy(2_048)), name: "r", hasDeadMan: false)
        // Layout does not count.
        let spaced = longest.replacing(",", with: ",\n        ")
        _ = try CheckedUserRole(IAMUserRole(policyDocument: spaced), name: "r", hasDeadMan: true)
    }

    @Test(arguments: [
        #"{"Statement":[{"a":{"x":1},"b":{"x":2}},{"a":"a","b":["a","a"]}],"a":":,{"}"#, #" { "Statement" : [ ] } "#,
        #"{"Statement":{"a":"\\","b":"\"a\":"}}"#,
    ])
    func namesInDifferentObjectsAreNoTrouble(document: String) throws {
        _ = try PolicyDocument(document, "x")
    }

    @Test func aPlanComesBack() {
        let plan = UserPlan(hasDocument: true, policyARNs: ["arn:a", "arn:b"], groups: ["g"])
        #expect(UserPlan(plan.bytes) == plan)
        #expect(UserPlan([]) == UserPlan())
        #expect(UserPlan(Array("nonsense\u{FF}\n".utf8)) == UserPlan())
    }

    @Test func theEndHasOneLengthAndIsRoundedUp() {
        for seconds in [1_800_000_000, 1_800_000_001, 4_000_000_000] as [Int64] {
            #expect(DeadMan.document(endsAt: LeaseInstant(secondsSinceEpoch: seconds)).utf8.count == DeadMan.length)
        }
        let instant = LeaseInstant(secondsSinceEpoch: 1_800_000_000) + .milliseconds(1)
        #expect(DeadMan.document(endsAt: instant).contains("2027-01-15T08:00:01Z"))
        #expect(
            DeadMan.document(endsAt: LeaseInstant(secondsSinceEpoch: 1_800_000_000)).contains("2027-01-15T08:00:00Z")
        )
    }

    @Test func documentsAreMerged() throws {
        let one = try PolicyDocument(
            #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a/b","Resource":"*"}}"#,
            "x"
        )
        let two = try PolicyDocument(#"{"Statement":[{"Effect":"Deny","Action":"c","Resource":"*"}]}"#, "y")
        let merged = try PolicyDocument(merging: [one, two])
        #expect(
            merged.text
                == #"{"Statement":[{"Action":"a/b","Effect":"Allow","Resource":"*"},{"Action":"c","Effect":"Deny","Resource":"*"}],"Version":"2012-10-17"}"#
        )
    }
}
