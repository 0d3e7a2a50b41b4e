// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

@Suite struct IAMIssueTests {
    @Test func makesAUserWithEverythingThatTheRoleSays() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            var call = try world.call(role: "full", backend: backend)
            call.target = "aws/123456789012"
            var handle = try backend.prepare("full", call)
            #expect(handle.userName == "leasekit-full-\(call.id)")
            let issued = try await backend.issue("full", as: &handle, call)
            let user = try #require(world.aws.users[handle.userName])
            #expect(user.path == "/leasekit/ours/1/apps/")
            #expect(user.boundary == "arn:aws:iam::123456789012:policy/own")
            #expect(
                user.tags == [
                    "leasekit:deployment": "ours", "leasekit:lease": call.id.text, "leasekit:epoch": "1",
                    "team": "billing",
                ]
            )
            #expect(user.attached.sorted() == ["arn:aws:iam::123456789012:policy/own", World.managed])
            #expect(user.groups == ["readers"])
            #expect(user.inline.keys.sorted() == ["leasekit-end", "leasekit-role"])
            #expect(user.keys.keys.sorted() == [issued.secret.accessKeyID])
            #expect(handle.accessKeyID == issued.secret.accessKeyID)
            #expect(issued.secret.principal == "arn:aws:iam::123456789012:user/leasekit/ours/1/apps/\(handle.userName)")
            #expect(issued.expiresAt == nil)
            // Four and one for each attachment, at most; the end is there before the rights and the key.
            let calls = world.aws.calls
            #expect(calls.count == 3 + 4)
            #expect(calls.prefix(2) == ["CreateUser", "PutUserPolicy"] && calls.last == "CreateAccessKey")
        }
    }

    /// Numbers can be set after the options were made; none of them may leave a user without its rights, or in place.
    @Test(arguments: [0, -1]) func oddOptionsLeaveNothingOut(concurrency: Int) throws {
        let world = World()
        var options = IAMUserOptions(readiness: .init())
        options.concurrency = concurrency
        options.readiness?.successes = concurrency
        let backend = try world.users(options: options)
        try world.drive {
            let call = try world.call(role: "full", backend: backend)
            var handle = try backend.prepare("full", call)
            _ = try await backend.issue("full", as: &handle, call)
            let user = try #require(world.aws.users[handle.userName])
            #expect(user.attached.count == 2 && user.groups == ["readers"] && user.inline.count == 2)
            #expect(try await backend.revoke(handle, call) == .revoked)
        }
    }

    /// A user must not end before its lease does.
    @Test func aSlackBelowZeroIsRefused() throws {
        let world = World()
        let error = #expect(throws: AWSError.self) { try world.users(options: IAMUserOptions(endSlack: .seconds(-1))) }
        #expect(error?.code == .outOfBounds && error?.message.contains("endSlack") == true)
    }

    @Test func theEndIsTheServicesAndNeedsNobody() throws {
        for offset in [0, 7_200, -7_200] {
            let world = World(offset: .seconds(offset))
            let backend = try world.users()
            try world.drive {
                let call = try world.call(backend: backend)
                var handle = try backend.prepare("app", call)
                let key = try await backend.issue("app", as: &handle, call).secret.accessKeyID
                try await world.time.sleep(for: .seconds(600))
                #expect(world.aws.isUsable(key))
                var later = try world.call(backend: backend, expiresIn: .seconds(1_200))
                later.now = world.time.read().wall
                _ = try await backend.renew(&handle, later)
                try await world.time.sleep(for: .seconds(1_200))
                #expect(world.aws.isUsable(key))
                // Nobody is there to end it.
                try await world.time.sleep(for: .seconds(65))
                #expect(!world.aws.isUsable(key))
            }
        }
    }

    @Test(arguments: ["CreateUser", "PutUserPolicy", "AttachUserPolicy", "AddUserToGroup", "CreateAccessKey"])
    func anAnswerThatWasLostIsFoundAgain(action: String) throws {
        for fault in [FakeAWS.Fault.doneAndLost, .lost, .doneAndFailed, .notSent, .answer(.failure(400, "Throttling"))]
        {
            let world = World()
            let backend = try world.users()
            world.aws.script(action, fault)
            try world.drive {
                let call = try world.call(role: "full", backend: backend)
                var handle = try backend.prepare("full", call)
                let issued = try await backend.issue("full", as: &handle, call)
                let user = try #require(world.aws.users[handle.userName])
                #expect(world.aws.users.count == 1)
                #expect(user.keys.keys.sorted() == [issued.secret.accessKeyID], "\(fault)")
                #expect(try await backend.revoke(handle, call) == .revoked)
                #expect(world.aws.users.isEmpty)
            }
        }
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 6])
    func whatFailsIsTakenBackAtOnce(place: Int) throws {
        let actions = ["CreateUser", "PutUserPolicy", "AttachUserPolicy", "AddUserToGroup", "CreateAccessKey"]
        let world = World()
        let backend = try world.users()
        let denied = AWSHTTPResponse.failure(403, "AccessDenied", "not authorized")
        world.aws.script(actions[min(place, 4)], .answer(denied))
        try world.drive {
            let call = try world.call(role: "full", backend: backend)
            var handle = try backend.prepare("full", call)
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.issue("full", as: &handle, call)
            }
            #expect(failure?.kind == .denied && failure?.scope == .lease && failure?.code == "AccessDenied")
            #expect(world.aws.users.isEmpty)
        }
    }

    @Test func aPolicyThatIsMissingIsTheRolesFault() throws {
        let world = World()
        let backend = try world.users()
        world.aws.change { $0.policies = [] }
        try world.drive {
            let call = try world.call(role: "full", backend: backend)
            var handle = try backend.prepare("full", call)
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.issue("full", as: &handle, call)
            }
            #expect(failure?.kind == .denied && failure?.message.contains("does not exist") == true)
            #expect(world.aws.users.isEmpty)
        }
    }

    @Test func aNameThatSomebodyElseHasIsLeftAlone() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            let call = try world.call(backend: backend)
            var handle = try backend.prepare("app", call)
            let stranger = FakeAccount.User(
                path: "/",
                tags: [:],
                madeAt: world.aws.now,
                boundary: nil,
                keys: ["AKIAX": "s"]
            )
            world.aws.change { [name = handle.userName] in $0.users[name] = stranger }
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.issue("app", as: &handle, call)
            }
            #expect(failure?.kind == .denied && failure?.code == "EntityAlreadyExists")
            #expect(world.aws.users[handle.userName]?.keys == ["AKIAX": "s"])
            #expect(try await backend.revoke(handle, call) == .notOurs)
            #expect(world.aws.users.count == 1)
        }
    }

    @Test func waitsForAUserToBecomeVisible() throws {
        let world = World(lag: .seconds(3))
        let backend = try world.users()
        try world.drive {
            let call = try world.call(role: "full", backend: backend)
            var handle = try backend.prepare("full", call)
            _ = try await backend.issue("full", as: &handle, call)
            #expect(world.aws.users[handle.userName]?.keys.count == 1)
        }
    }

    @Test func aQuotaIsNamedWithItsNumbers() throws {
        let world = World()
        let backend = try world.users()
        world.aws.change { $0.userQuota = 0 }
        try world.drive {
            let call = try world.call(backend: backend)
            var handle = try backend.prepare("app", call)
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.issue("app", as: &handle, call)
            }
            #expect(failure?.code == "LimitExceeded" && failure?.kind == .denied)
            #expect(failure?.message.contains("UsersPerAccount: 0") == true)
            #expect(failure?.message.contains("0 users of 0") == true)
            #expect(world.aws.calls.filter { $0 == "CreateUser" }.count == 1)
        }
    }

    @Test func anotherAccountThanTheMountsGetsNothing() throws {
        let world = World()
        let backend = try world.users()
        try world.drive {
            var call = try world.call(backend: backend)
            call.target = "aws/999999999999"
            var handle = try backend.prepare("app", call)
            await #expect(throws: BackendFailure.self) { try await backend.issue("app", as: &handle, call) }
            #expect(world.aws.users.isEmpty)
            // Neither does it when the answer was lost, and the user is found again.
            world.aws.script("CreateUser", .doneAndLost)
            world.aws.forgetCalls()
            await #expect(throws: BackendFailure.self) { try await backend.issue("app", as: &handle, call) }
            #expect(world.aws.users.isEmpty && !world.aws.calls.contains("CreateAccessKey"))
            #expect(try await backend.fingerprint(call) == "aws/123456789012")
        }
    }

    @Test func aKeyThatIsNotReadyEndsTheIssue() throws {
        let world = World()
        let backend = try world.users(options: IAMUserOptions(readiness: .init(successes: 3)))
        try world.drive {
            let call = try world.call(backend: backend)
            var handle = try backend.prepare("app", call)
            let invalid = FakeAWS.Fault.answer(.failure(403, "InvalidClientTokenId"))
            world.aws.script("GetCallerIdentity", invalid, invalid)
            _ = try await backend.issue("app", as: &handle, call)
            #expect(world.aws.calls.filter { $0 == "GetCallerIdentity" }.count == 5)
            for _ in 0..<100 { world.aws.script("GetCallerIdentity", invalid) }
            let second = try world.call(2, backend: backend)
            var other = try backend.prepare("app", second)
            let failure = await #expect(throws: BackendFailure.self) {
                try await backend.issue("app", as: &other, second)
            }
            #expect(failure?.kind == .transient)
            #expect(world.aws.users.count == 1)
        }
    }

    /// A path has 512 letters at most and a tag 256: said before anything is sent.
    @Test func aDeploymentThatDoesNotFitIsRefused() throws {
        let world = World()
        let backend = try world.users()
        var call = try world.call(backend: backend)
        call.mark = LeaseMark(deployment: String(repeating: "ä", count: 64), lease: call.id, epoch: 1)
        let error = #expect(throws: AWSError.self) { try backend.prepare("app", call) }
        #expect(error?.code == .outOfBounds && error?.message.contains("256") == true)
    }

    @Test func namesFitHoweverLongTheRoleIs() throws {
        let world = World()
        let name = String(repeating: "rôle/", count: 30)
        let backend = try IAMUserBackend(world.access(), roles: [name: IAMUserRole()])
        let call = try world.call()
        let handle = try backend.prepare(name, call)
        #expect(handle.userName.utf8.count == 64 && handle.userName.hasSuffix(call.id.text))
        try AWSLimits.check(name: handle.userName, of: "name", 1...64)
        #expect(try IAMUserHandle(handleBytes: handle.handleBytes) == handle)
    }

    @Test func aHandleComesBackWithEverything() throws {
        let handle = IAMUserHandle(
            userName: "u",
            deployment: "a\nb",
            accessKeyID: "AKIA",
            madeAt: LeaseInstant(secondsSinceEpoch: 5)
        )
        #expect(try IAMUserHandle(handleBytes: handle.handleBytes) == handle)
        for text in ["", "u", "u\nk\nx\nd", "\n\n\n"] {
            #expect(throws: (any Error).self) { try IAMUserHandle(handleBytes: Array(text.utf8)) }
        }
    }

    @Test(arguments: ["plain", "with space", "ünï", "a/b=c", "", "x\n"])
    func deploymentsKeepTheirPaths(name: String) throws {
        let mark = LeaseMark(deployment: name, lease: LeaseID(high: 1, low: 2), epoch: 9)
        let path = LeaseTags.path(mark, "/apps/")
        #expect(path.utf8.allSatisfy { (0x21...0x7E).contains($0) } && path.hasSuffix("/9/apps/"))
        #expect(LeaseTags.mark(ofUser: "x-\(mark.lease)", at: path, of: name) == mark)
        #expect(LeaseTags.mark(ofUser: "x-\(mark.lease)", at: path, of: name + "y") == nil)
    }
}
