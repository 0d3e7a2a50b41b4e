// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

@testable import LeaseKitAWS

/// A client, its transport and its time, driven until nothing is left to do.
final class Bench: Sendable {
    let time: VirtualTime
    private let client: AWSClient
    private let current: Locked<ScriptedTransport>
    private let tools: AWSClient.Tools

    private init(_ time: VirtualTime) throws {
        self.time = time
        current = Locked(ScriptedTransport { _, _ in .identity() })
        tools = AWSClient.Tools(
            transport: Switch(current: current),
            time: time,
            clock: ServerClock(),
            retry: AWSRetryPolicy(),
            entropy: .seeded(7)
        )
        let key = StaticAWSCredentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: SecretText("secret"))
        client = AWSClient(.sts, at: AWSRegion("eu-west-1").partition.sts(in: "eu-west-1"), as: key, tools)
    }

    static func drive(_ body: @escaping @Sendable (Bench) async throws -> Void) throws {
        let time = VirtualTime()
        let executor = SeededExecutor(seed: 1, time: time)
        let bench = try Bench(time)
        try executor.drive { try await body(bench) }
    }

    var transport: ScriptedTransport { current.withLock { $0 } }

    /// What answers from now on.
    func script(_ handler: @escaping ScriptedTransport.Handler) { current.withLock { $0 = ScriptedTransport(handler) } }

    func call(
        timeout: Duration = .seconds(60),
        isRepeatable: Bool = true,
        as provider: (any AWSCredentialsProvider)? = nil
    ) async throws -> AWSReply {
        let client = provider.map { AWSClient(.sts, at: self.client.endpoint, as: $0, tools) } ?? self.client
        let deadline = time.read().continuous + timeout
        return try await client.call("GetCallerIdentity", until: deadline, isRepeatable: isRepeatable)
    }

    private struct Switch: AWSTransport {
        let current: Locked<ScriptedTransport>

        func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
            try await current.withLock { $0 }.send(request, timeout: timeout)
        }
    }
}
