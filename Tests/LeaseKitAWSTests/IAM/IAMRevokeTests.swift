// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct IAMRevokeTests {
    private func make(_ world: World, _ backend: IAMUserBackend, role: String = "full") async throws -> (
        IAMUserHandle, BackendCall
    ) {
        let call = try world.call(role: role, backend: backend)
        var handle = try backend.prepare(role, call)
        _ = try await backend.issue(role, as: &handle, call)
        world.aws.forgetCalls()
        return (handle, call)
    }

    @Test func theFirstCallDisablesTheKey() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let (handle, call) = try await make(world, backend)
            #expect(try await backend.revoke(handle, call) == .revoked)
            let calls = world.aws.calls
            #expect(calls.first == "DeleteAccessKey" && calls.last == "DeleteUser")
            #expect(calls.count == 4 + 4)
            #expect(world.aws.users.isEmpty)
        }
    }

    @Test(arguments: [
        "DeleteAccessKey", "GetUser", "DeleteUserPolicy", "DetachUserPolicy", "RemoveUserFromGroup", "DeleteUser",
    ])
    func whatIsLostIsDoneAgain(action: String) throws {
        for fault in [FakeAWS.Fault.doneAndLost, .lost, .doneAndFailed, .answer(.failure(400, "Throttling"))] {
            let world = World()
            let backend = try world.users()
            try world.drive {
                let (handle, call) = try await make(world, backend)
                world.aws.script(action, fault)
                #expect(try await backend.revoke(handle, call) == .revoked)
                #expect(world.aws.users.isEmpty)
                #expect(try await backend.revoke(handle, call) == .alreadyGone)
            }
        }
    }

    /// What a person has added is found, also behind the first page.
    @Test(arguments: [1, 100]) func everythingThatHangsOnTheUserGoes(pageSize: Int) throws {
        let world = World(pageSize: pageSize)
        let backend = try world.users()
        try world.drive {
            let (handle, call) = try await make(world, backend)
            world.aws.change { account in
                account.users[handle.userName]?.hasLogin = true
                account.users[handle.userName]?.keys["AKIAOTHER"] = "s"
                account.users[handle.userName]?.inline = ["a": "{}", "b": "{}", "c": "{}"]
                account.users[handle.userName]?.attached += ["arn:aws:iam::1:policy/x", "arn:aws:iam::1:policy/y"]
                account.users[handle.userName]?.groups += ["g1", "g2"]
                account.users[handle.userName]?.extras = [
                    "MFADevices": ["arn:aws:iam::1:mfa/d", "HARDWARE1"], "SSHPublicKeys": ["K1", "K2"],
                    "Certificates": ["C1", "C2"], "ServiceSpecificCredentials": ["S1", "S2", "S3"],
                ]
                account.virtualDevices = ["arn:aws:iam::1:mfa/d"]
            }
            #expect(try await backend.revoke(handle, call) == .revoked)
            #expect(world.aws.users.isEmpty)
            world.aws.change { #expect($0.virtualDevices.isEmpty) }
        }
    }

    /// One thing that may not be removed keeps the user; whatever else opens something goes all the same.
    @Test func aKindThatCannotBeRemovedLeavesNothingElse() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let (handle, call) = try await make(world, backend)
            world.aws.change { account in
                account.users[handle.userName]?.hasLogin = true
                account.users[handle.userName]?.extras = [
                    "MFADevices": ["HARDWARE1"], "SSHPublicKeys": ["K1"], "ServiceSpecificCredentials": ["S1"],
                ]
            }
            world.aws.script(
                "DeactivateMFADevice",
                .answer(.failure(403, "AccessDenied", "not authorized to perform: iam:DeactivateMFADevice"))
            )
            let failure = await #expect(throws: BackendFailure.self) { try await backend.revoke(handle, call) }
            #expect(failure?.kind == .denied && failure?.message.contains("iam:DeactivateMFADevice") == true)
            let left = try #require(world.aws.users[handle.userName])
            #expect(!left.hasLogin && left.extras.values.filter { !$0.isEmpty } == [["HARDWARE1"]])
            #expect(try await backend.revoke(handle, call) == .revoked)
        }
    }

    @Test func aKindThatCannotBeListedStopsNothing() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let (handle, call) = try await make(world, backend)
            world.aws.change { $0.users[handle.userName]?.hasLogin = true }
            for _ in 0..<20 {
                world.aws.script(
                    "ListServiceSpecificCredentials",
                    .answer(.xml(500, "<html>Internal Server Error</html>"))
                )
                world.aws.script("ListSSHPublicKeys", .answer(.failure(403, "AccessDenied")))
            }
            #expect(try await backend.revoke(handle, call) == .revoked)
            #expect(world.aws.users.isEmpty)
        }
    }

    @Test func aConflictThatStaysIsToldAndTriedAgainLater() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let (handle, call) = try await make(world, backend)
            for _ in 0..<20 { world.aws.script("DeleteUser", .answer(.failure(409, "DeleteConflict"))) }
            let failure = await #expect(throws: BackendFailure.self) { try await backend.revoke(handle, call) }
            #expect(failure?.kind == .transient && failure?.scope == .lease)
            #expect(world.aws.users[handle.userName]?.keys.isEmpty == true)
        }
    }

    /// Another process cannot know whether a user that is not there was deleted or is not visible yet.
    @Test func notVisibleYetIsNotGone() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let (handle, call) = try await make(world, backend)
            let other = try world.users()
            world.aws.change { $0.users = [:] }
            let failure = await #expect(throws: BackendFailure.self) { try await other.revoke(handle, call) }
            #expect(failure?.kind == .transient && failure?.code == "notVisibleYet")
            var renewed = handle
            let renewal = await #expect(throws: BackendFailure.self) { try await other.renew(&renewed, call) }
            #expect(renewal?.code == "notVisibleYet")
            try await world.time.sleep(for: .seconds(61))
            var later = call
            later.now = world.time.read().wall
            later.deadline = later.now + .seconds(60)
            #expect(try await other.revoke(handle, later) == .alreadyGone)
            let gone = await #expect(throws: BackendFailure.self) { try await other.renew(&renewed, later) }
            #expect(gone?.kind == .gone)
        }
    }

    @Test func aUserWithoutOurTagsIsLeftAlone() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let call = try world.call(backend: backend)
            let handle = try backend.prepare("app", call)
            let stranger = FakeAccount.User(
                path: "/leasekit/ours/1/",
                tags: ["leasekit:deployment": "theirs", "leasekit:lease": call.id.text],
                madeAt: world.aws.now,
                boundary: nil,
                keys: ["AKIAX": "s"]
            )
            world.aws.change { $0.users[handle.userName] = stranger }
            #expect(try await backend.revoke(handle, call) == .notOurs)
            #expect(world.aws.users[handle.userName]?.keys.count == 1)
        }
    }

    @Test func anotherAccountIsNotTouched() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let (made, call) = try await make(world, backend)
            // Without the key's id, as after a crash.
            let handle = IAMUserHandle(userName: made.userName, deployment: "ours")
            var wrong = call
            wrong.target = "aws/999999999999"
            let failure = await #expect(throws: BackendFailure.self) { try await backend.revoke(handle, wrong) }
            #expect(failure?.foundTarget == "aws/123456789012")
            #expect(world.aws.users.count == 1)
        }
    }

    /// A sweep would end early or never.
    @Test(arguments: ["", "<Marker>here</Marker>"])
    func anInventoryThatLeadsNowhereIsAnError(marker: String) throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let page = "<ListUsersResult><IsTruncated>true</IsTruncated>\(marker)</ListUsersResult>"
            world.aws.script("ListUsers", .answer(.xml(200, "<ListUsersResponse>\(page)</ListUsersResponse>")))
            let call = try world.call(backend: backend)
            await #expect(throws: BackendFailure.self) {
                try await backend.inventory(of: "ours", after: "here", call)
            }
        }
    }

    @Test func theInventoryFindsOrphansAmongStrangers() throws {
        let world = World(pageSize: 50)
        let backend = try world.users()
        try world.drive {
            world.aws.change { account in
                for number in 0..<1_000 as Range<UInt64> {
                    let mark = LeaseMark(deployment: "ours", lease: LeaseID(high: 1, low: number), epoch: number % 3)
                    var tags: [String: String] = [:]
                    for tag in LeaseTags.tags(mark) { tags[tag.key] = tag.value }
                    account.users["leasekit-app-\(mark.lease)"] = FakeAccount.User(
                        path: LeaseTags.path(mark, "/"),
                        tags: tags,
                        madeAt: world.aws.now,
                        boundary: nil
                    )
                }
                for number in 0..<3_000 {
                    let path = ["/", "/leasekit/", "/leasekit/ours2/1/", "/leasekit/theirs/1/"][number % 4]
                    account.users["stranger-\(number)"] = FakeAccount.User(
                        path: path,
                        tags: [:],
                        madeAt: world.aws.now,
                        boundary: nil
                    )
                }
                account.users["by-hand"] = FakeAccount.User(
                    path: "/leasekit/ours/1/",
                    tags: [:],
                    madeAt: world.aws.now,
                    boundary: nil
                )
            }
            var (found, cursor): ([LeaseMark], String?) = ([], nil)
            repeat {
                let page = try await backend.inventory(of: "ours", after: cursor, world.call(backend: backend))
                found += page.items.map(\.mark)
                cursor = page.next
            } while cursor != nil
            #expect(found.count == 1_000 && Set(found).count == 1_000)
            #expect(found.allSatisfy { $0.deployment == "ours" && $0.epoch == $0.lease.low % 3 })
        }
    }
}
