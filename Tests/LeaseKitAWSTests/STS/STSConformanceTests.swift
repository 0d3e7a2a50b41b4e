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
        let role = STSRole.assumedRole(World.deploy, limits: TTLLimits(maximum: .seconds(14_400)))
        try check(try STSBackend(world.access(), roles: ["deploy": role]), in: world)
    }

    /// With a revocation they are held to more: what was revoked opens nothing.
    @Test(arguments: [0, 3_600, -86_400])
    func revocableOnesConform(offset: Int) throws {
        let world = World(offset: .seconds(offset))
        try check(try world.sessions(), in: world)
    }

    private func check(_ backend: STSBackend, in world: World) throws {
        try world.drive {
            var suite = SecretBackendConformance(backend, request: "deploy", time: world.time)
            suite.isUsable = { world.aws.isUsable($0.accessKeyID) }
            suite.secretBytes = { $0.secretAccessKey.withBytes { Array($0) } }
            suite.unknownRequest = "none"
            suite.unknownPath = "creds/none"
            if backend.abilities.isRevocable {
                // Without a revocation there is nothing to wait for.
                suite.hang = { world.aws.beSilent(true) }
                suite.release = { world.aws.beSilent(false) }
            }
            suite.entropy = .seeded(2)
            try await suite.run()
        }
    }
}
