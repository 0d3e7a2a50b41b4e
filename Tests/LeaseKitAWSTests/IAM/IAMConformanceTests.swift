// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import LeaseKitTesting
import Testing

/// Users of IAM keep every promise of a backend, whatever the service is like.
@Suite struct IAMConformanceTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var offset = Duration.zero
        var pageSize = 100
        var options = IAMUserOptions()
        var role = "app"
    }

    static let rows = [
        Row(testDescription: "everything"),
        Row(testDescription: "pages of one", pageSize: 1),
        Row(testDescription: "a role with all there is", role: "full"),
        Row(testDescription: "a clock an hour ahead", offset: .seconds(3_600)),
        Row(testDescription: "a clock a day behind", offset: .seconds(-86_400)),
        Row(testDescription: "no end of its own", options: IAMUserOptions(endSlack: nil)),
        Row(testDescription: "keys are tried", options: IAMUserOptions(readiness: .init(successes: 2))),
    ]

    @Test(arguments: rows) func usersConform(_ row: Row) throws {
        let world = World(offset: row.offset, pageSize: row.pageSize)
        let backend = try world.users(options: row.options)
        try world.drive {
            var suite = SecretBackendConformance(backend, request: row.role, time: world.time)
            suite.isUsable = { world.aws.isUsable($0.accessKeyID) }
            suite.secretBytes = { $0.secretAccessKey.withBytes { Array($0) } }
            suite.endAtTarget = { handle in
                world.aws.users[handle.userName].flatMap { FakeAWS.end(of: $0) }.map { $0 - row.offset }
            }
            suite.unknownRequest = "no such role"
            suite.unknownPath = "creds/none"
            suite.hang = { world.aws.beSilent(true) }
            suite.release = { world.aws.beSilent(false) }
            suite.entropy = .seeded(1)
            try await suite.run()
        }
        #expect(world.aws.users.isEmpty)
    }
}
