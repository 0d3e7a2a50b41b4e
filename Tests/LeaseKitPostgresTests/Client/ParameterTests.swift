// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitPostgres

/// What libpq is told.
@Suite struct ParameterTests {
    private func options(_ settings: [String: String], in environment: Set<String> = []) async throws -> String? {
        var configuration = try await TestServer.shared(.system).configuration()
        configuration.settings = settings
        let parameters = configuration.parameters(
            host: configuration.hosts[0],
            address: nil,
            database: "postgres",
            user: "postgres",
            hasEnvironment: { environment.contains($0) }
        )
        return parameters.first { $0.0 == "options" }?.1
    }

    /// libpq would take them from there.
    @Test func optionsOfTheEnvironmentDoNotCount() async throws {
        #expect(try await options([:]) == nil)
        #expect(try await options([:], in: ["PGOPTIONS"]) == " ")
        #expect(try await options(["a": "b"], in: ["PGOPTIONS"]) == "-c a=b")
    }

    @Test(arguments: ["two\r\nlines -c work_mem=1MB", "a\\ b", "\u{2003}wide\u{85}", "\n"])
    func aValueIsOneValue(value: String) async throws {
        var configuration = try await TestServer.shared(.system).configuration()
        configuration.settings = ["leasekit.odd": value]
        let client = LibPQClient(configuration)
        #expect(try await client.run("SHOW leasekit.odd")[0].first == value)
        await client.close()
    }
}
