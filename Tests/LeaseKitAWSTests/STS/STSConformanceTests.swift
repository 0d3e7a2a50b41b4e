// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import LeaseKitTesting
import Testing

@Suite struct STSConformanceTests {
    @Test(arguments: [0, 3_600, -86_400])
    func temporaryCredentialsConform(offset: Int) throws {
        let world = World(offset: .seconds(offset))
        let roles: [String: STSRole] = [
            "deploy": .assumedRole(
                "arn:aws:iam::123456789012:role/deploy",
                limits: TTLLimits(maximum: .seconds(14_400))
            )
        ]
        let backend = try STSBackend(world.access(), roles: roles)
        try world.drive {
            var suite = SecretBackendConformance(backend, request: "deploy", time: world.time)
            suite.isUsable = { world.aws.isUsable($0.accessKeyID) }
            suite.secretBytes = { $0.secretAccessKey.withBytes { Array($0) } }
            suite.unknownRequest = "none"
            suite.unknownPath = "creds/none"
            suite.entropy = .seeded(2)
            try await suite.run()
        }
    }
}
