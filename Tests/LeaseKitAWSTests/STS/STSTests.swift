// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct STSTests {
    private static let arn = "arn:aws:iam::123456789012:role/deploy"

    private func call(_ world: World, _ seconds: Int, role: String = "r") throws -> BackendCall {
        try world.call(role: role, expiresIn: .seconds(seconds))
    }

    private func issue(
        _ role: STSRole,
        _ seconds: Int,
        request: STSRequest = "r",
        world: World = World(),
        as credentials: AWSCredentials? = nil
    ) throws -> (issued: Result<Issued<AWSCredentials>, BackendFailure>, handle: STSHandle, calls: [String]) {
        let outcome = Locked<(Result<Issued<AWSCredentials>, BackendFailure>, STSHandle)?>(nil)
        let backend = try STSBackend(world.access(as: credentials), roles: ["r": role])
        try world.drive {
            let call = try call(world, seconds)
            var handle = try backend.prepare(request, call)
            do {
                let issued = try await backend.issue(request, as: &handle, call)
                outcome.withLock { [handle] in $0 = (.success(issued), handle) }
            } catch let failure as BackendFailure {
                outcome.withLock { [handle] in $0 = (.failure(failure), handle) }
            }
        }
        let (issued, handle) = try #require(outcome.withLock { $0 })
        return (issued, handle, world.aws.calls)
    }

    @Test func theLeaseEndsNoLaterThanTheCredentials() throws {
        for offset in [0, 5_000, -5_000] {
            let world = World(offset: .seconds(offset))
            let result = try issue(.assumedRole(Self.arn), 3_600, world: world)
            let issued = try result.issued.get()
            let end = try #require(issued.expiresAt)
            let actual =
                try #require(world.aws.change { $0.sessions }[issued.secret.accessKeyID]?.end) - .seconds(offset)
            #expect(end <= actual && end > actual - .seconds(3))
            #expect(result.handle.endsAt == end && issued.secret.expiresAt == end)
            #expect(issued.secret.principal?.hasPrefix(Self.arn) == true)
        }
    }

    @Test func revocationSaysWhenAndRenewalSaysWhy() throws {
        let world = World()
        let backend = try STSBackend(world.access(), roles: ["r": .assumedRole(Self.arn)])
        try world.drive {
            let call = try call(world, 3_600)
            let prepared = try backend.prepare("r", call)
            var handle = prepared
            let end = try await backend.issue("r", as: &handle, call).expiresAt
            #expect(try await backend.revoke(handle, call) == .endsByItself(at: try #require(end)))
            // Even without the answer an end is known, and it is not too early.
            let unknown = try await backend.revoke(prepared, call)
            #expect(try #require(unknown.endsAt) >= #require(end))
            let refusal = try await backend.renew(&handle, call)
            #expect(refusal.refusal?.contains("issue new ones") == true)
            var later = call
            later.now = handle.endsAt
            #expect(try await backend.revoke(handle, later) == .alreadyGone)
            #expect(try STSHandle(handleBytes: handle.handleBytes) == handle)
        }
    }

    struct Time: Sendable, CustomTestStringConvertible {
        var testDescription: String { "\(kind), \(seconds) s\(isChained ? ", chained" : "")" }
        let kind: STSRole.Kind
        let seconds: Int
        var isChained = false
        let clamped: Int
        let words: [String]
    }

    static let times = [
        Time(kind: .assumedRole, seconds: 899, clamped: 900, words: ["900 s", "899 s", "clamp"]),
        Time(kind: .assumedRole, seconds: 43_201, clamped: 43_200, words: ["43200 s", "maximum"]),
        Time(
            kind: .assumedRole,
            seconds: 3_601,
            isChained: true,
            clamped: 3_600,
            words: ["3600 s", "chaining", "user's key"]
        ),
        Time(kind: .federationToken, seconds: 129_601, clamped: 129_600, words: ["129600 s"]),
        Time(kind: .sessionToken, seconds: 1, clamped: 900, words: ["900 s"]),
        Time(kind: .assumedRole, seconds: 3_600, isChained: true, clamped: 3_600, words: []),
        Time(kind: .assumedRole, seconds: 900, clamped: 900, words: []),
        Time(kind: .sessionToken, seconds: 129_600, clamped: 129_600, words: []),
    ]

    @Test(arguments: times) func timesOutOfBoundsFailOrAreClamped(_ row: Time) throws {
        let clamp = STSDuration(kind: row.kind, isChained: row.isChained, bounds: .clamp)
        #expect(try clamp.seconds(for: .seconds(row.seconds)) == row.clamped)
        let fail = STSDuration(kind: row.kind, isChained: row.isChained, bounds: .fail)
        if row.words.isEmpty {
            #expect(try fail.seconds(for: .seconds(row.seconds)) == row.seconds)
        } else {
            let error = #expect(throws: AWSError.self) { try fail.seconds(for: .seconds(row.seconds)) }
            for word in row.words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "")") }
        }
    }

    @Test func aRolesOwnCredentialsGetAnHour() throws {
        let own = AWSCredentials(
            accessKeyID: "ASIA1",
            secretAccessKey: SecretText("s"),
            sessionToken: SecretText("t"),
            origin: .role
        )
        let failed = try issue(.assumedRole(Self.arn), 7_200, as: own)
        guard case .failure(let failure) = failed.issued else {
            throw Python.Trouble(description: "it should have failed")
        }
        #expect(failure.kind == .denied && failure.message.contains("3600"))
        // Nobody was asked.
        #expect(failed.calls.isEmpty)
        var role = STSRole.assumedRole(Self.arn)
        role.bounds = .clamp
        let issued = try issue(role, 7_200, as: own).issued.get()
        #expect(try #require(issued.expiresAt) < World().time.read().wall + .seconds(3_700))
    }

    @Test func temporaryCredentialsOfUnknownOriginAreLookedUpOnce() throws {
        let world = World()
        let own = AWSCredentials(accessKeyID: "ASIA1", secretAccessKey: SecretText("s"), sessionToken: SecretText("t"))
        let backend = try STSBackend(world.access(as: own), roles: ["r": .assumedRole(Self.arn)])
        try world.drive {
            for number in 1...3 as ClosedRange<UInt64> {
                let call = try world.call(number, role: "r", expiresIn: .seconds(7_200))
                var handle = try backend.prepare("r", call)
                _ = try await backend.issue("r", as: &handle, call)
            }
            #expect(world.aws.calls.filter { $0 == "GetCallerIdentity" }.count == 1)
        }
    }

    @Test func tokensNeedAUsersKey() throws {
        let own = AWSCredentials(accessKeyID: "ASIA1", secretAccessKey: SecretText("s"), sessionToken: SecretText("t"))
        for role in [STSRole.sessionToken(), .federationToken(policyDocument: World.document)] {
            guard case .failure(let failure) = try issue(role, 3_600, as: own).issued else {
                throw Python.Trouble(description: "it should have failed")
            }
            #expect(failure.kind == .denied && failure.message.contains("user's own key"))
        }
    }

    @Test func aRefusalOfTheRolesMaximumNamesTheFix() throws {
        let short = "arn:aws:iam::123456789012:role/short"
        guard case .failure(let failure) = try issue(.assumedRole(short), 7_200).issued else {
            throw Python.Trouble(description: "it should have failed")
        }
        #expect(failure.kind == .denied && failure.message.contains("MaxSessionDuration at AWS"))
    }

    @Test func everyFieldGoesOverTheWire() throws {
        let world = World()
        let seen = Locked<[AWSHTTPRequest]>([])
        let aws = world.aws
        let transport = ScriptedTransport { request, _ throws(AWSTransportError) in
            seen.withLock { $0.append(request) }
            return try await aws.send(request, timeout: .seconds(1))
        }
        var role = STSRole.assumedRole(Self.arn, "arn:aws:iam::123456789012:role/other")
        role.policyDocument = World.document
        role.policyARNs = [World.managed]
        role.sessionTags = ["team": "a b", "env": "prod"]
        role.transitiveTagKeys = ["team"]
        role.externalID = "x:/1"
        role.sourceIdentity = "alice"
        role.mfaSerialNumber = "arn:aws:iam::1:mfa/d"
        let backend = try STSBackend(world.access(transport), roles: ["r": role])
        try world.drive {
            let call = try call(world, 3_600)
            let request = STSRequest("r", roleARN: Self.arn, mfaCode: "123456")
            var handle = try backend.prepare(request, call)
            _ = try await backend.issue(request, as: &handle, call)
            let form = try #require(seen.withLock { $0.last }).form
            #expect(form["RoleArn"] == Self.arn && form["DurationSeconds"] == "3600")
            #expect(form["RoleSessionName"] == handle.sessionName && handle.sessionName.hasSuffix(call.id.text))
            #expect(form["PolicyArns.member.1.arn"] == World.managed)
            #expect(form["Tags.member.1.Key"] == "env" && form["Tags.member.2.Value"] == "a b")
            #expect(form["TransitiveTagKeys.member.1"] == "team" && form["ExternalId"] == "x:/1")
            #expect(form["SourceIdentity"] == "alice" && form["SerialNumber"] == "arn:aws:iam::1:mfa/d")
            #expect(form["TokenCode"] == "123456" && form["Policy"]?.contains("s3:Get*") == true)
            for wrong in [
                STSRequest("r", roleARN: "arn:aws:iam::1:role/z", mfaCode: "123456"), "r",
                STSRequest("r", roleARN: Self.arn),
            ] {
                await #expect(throws: BackendFailure.self) { try await backend.issue(wrong, as: &handle, call) }
            }
        }
    }

    /// A policy that is left out may be one that denies something.
    @Test(arguments: ["ListGroupPolicies", "ListAttachedGroupPolicies"])
    func aListOfPoliciesThatBreaksOffIsAnError(action: String) throws {
        let world = World()
        world.aws.change { $0.groups["a"] = [:] }
        var role = STSRole.federationToken(policyDocument: World.document)
        role.groups = ["a"]
        let backend = try STSBackend(world.access(), roles: ["r": role])
        try world.drive {
            world.aws.script(
                action,
                .answer(
                    .xml(
                        200,
                        "<\(action)Response><\(action)Result><IsTruncated>true</IsTruncated></\(action)Result>"
                            + "</\(action)Response>"
                    )
                )
            )
            let call = try call(world, 3_600)
            var handle = try backend.prepare("r", call)
            await #expect(throws: BackendFailure.self) { try await backend.issue("r", as: &handle, call) }
            #expect(!world.aws.calls.contains("GetFederationToken"))
        }
    }

    @Test func policiesOfGroupsAreMerged() throws {
        let world = World(pageSize: 1)
        world.aws.change { account in
            account.groups["a"] = [
                "p1": World.document, "p2": #"{"Statement":[{"Effect":"Deny","Action":"x:é","Resource":"*"}]}"#,
            ]
            account.groupPolicies["a"] = [World.managed, "arn:aws:iam::123456789012:policy/own"]
        }
        let seen = Locked<[AWSHTTPRequest]>([])
        let aws = world.aws
        let transport = ScriptedTransport { request, _ throws(AWSTransportError) in
            seen.withLock { $0.append(request) }
            return try await aws.send(request, timeout: .seconds(1))
        }
        var role = STSRole.federationToken(policyDocument: World.document, policyARNs: [World.managed])
        role.groups = ["a"]
        let backend = try STSBackend(world.access(transport), roles: ["r": role])
        try world.drive {
            let call = try call(world, 3_600)
            var handle = try backend.prepare("r", call)
            #expect(handle.sessionName.utf8.count <= 32)
            _ = try await backend.issue("r", as: &handle, call)
            let form = try #require(seen.withLock { $0.last }).form
            #expect(form["Name"] == handle.sessionName)
            #expect(form["PolicyArns.member.2.arn"] == "arn:aws:iam::123456789012:policy/own")
            #expect(form["PolicyArns.member.3.arn"] == nil)
            let policy = try #require(form["Policy"])
            #expect(policy.contains("x:é") && policy.components(separatedBy: "s3:Get*").count == 3)
        }
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let role: STSRole
        let word: String
    }

    static let wrong: [Wrong] = [
        Wrong(testDescription: "no role", role: STSRole(kind: .assumedRole), word: "roleARNs"),
        Wrong(testDescription: "no ARN", role: .assumedRole("deploy"), word: "role/NAME"),
        Wrong(testDescription: "no policy", role: .federationToken(), word: "policy"),
        Wrong(
            testDescription: "a policy",
            role: STSRole(kind: .sessionToken, policyDocument: World.document),
            word: "policies"
        ),
        Wrong(testDescription: "short", role: .assumedRole(arn, limits: .init(ttl: .seconds(60))), word: "900"),
        Wrong(
            testDescription: "long",
            role: .assumedRole(arn, limits: .init(maximum: .seconds(50_000))),
            word: "43200"
        ),
        Wrong(
            testDescription: "many policies",
            role: .federationToken(policyARNs: (0..<11).map { "arn:aws:iam::1:policy/p\($0)" }),
            word: "11"
        ),
        Wrong(
            testDescription: "a long policy",
            role: .federationToken(policyDocument: #"{"Statement":"\#(String(repeating: "x", count: 2_050))"}"#),
            word: "2048"
        ),
    ]

    @Test(arguments: wrong) func aRoleThatBreaksARuleIsRefused(_ row: Wrong) throws {
        let error = #expect(throws: AWSError.self) { try CheckedSTSRole(row.role, name: "r") }
        #expect(error?.code == .outOfBounds && error?.message.contains(row.word) == true, "\(error?.message ?? "")")
    }

    /// The tutorial's role: an hour by default, four at most.
    @Test func theTutorialsRoleHasItsLimits() throws {
        let role = try CheckedSTSRole(
            .assumedRole(Self.arn, limits: TTLLimits(ttl: .seconds(3_600), maximum: .seconds(14_400))),
            name: "r"
        )
        #expect(role.limits == TTLLimits(ttl: .seconds(3_600), maximum: .seconds(14_400)))
        #expect(
            try CheckedSTSRole(.assumedRole(Self.arn), name: "r").limits
                == TTLLimits(ttl: .seconds(3_600), maximum: .seconds(43_200))
        )
    }
}
