// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
public import LeaseKit

/// What sources of credentials need: an environment, a transport, a clock.
public struct AWSSourceSettings: Sendable {
    /// The environment that they look into.
    public var environment: [String: String]
    /// The region whose STS is asked for roles; the environment's, then the profile's, when nil.
    public var region: AWSRegion?
    /// Other addresses than AWS's own.
    public var endpoints: AWSEndpoints
    /// The HTTP client.
    public var transport: any AWSTransport
    /// How calls deal with what may work next time.
    public var retry: AWSRetryPolicy
    /// The clocks.
    public var time: any LeaseTime
    /// How long a source may take.
    public var timeout: Duration
    /// How long the metadata of a machine may take to answer: where there is none, everybody waits that long.
    public var metadataTimeout: Duration

    /// Makes settings; those of this process unless said otherwise.
    public init(
        environment: [String: String]? = nil,
        region: AWSRegion? = nil,
        endpoints: AWSEndpoints = AWSEndpoints(),
        transport: any AWSTransport = URLSessionTransport(),
        retry: AWSRetryPolicy = AWSRetryPolicy(),
        time: any LeaseTime = SystemTime(),
        timeout: Duration = .seconds(30),
        metadataTimeout: Duration = .seconds(1)
    ) {
        self.environment = environment ?? ProcessInfo.processInfo.environment
        self.region = region
        self.endpoints = endpoints
        self.transport = transport
        self.retry = retry
        self.time = time
        self.timeout = timeout
        self.metadataTimeout = metadataTimeout
    }

    func value(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }

    var tools: AWSClient.Tools {
        AWSClient.Tools(transport: transport, time: time, clock: ServerClock(), retry: retry, entropy: .system)
    }

    func sts(_ region: AWSRegion?, as credentials: (any AWSCredentialsProvider)?) throws(AWSError) -> AWSClient {
        let isNamed = value("AWS_REGION") != nil || value("AWS_DEFAULT_REGION") != nil
        let region = self.region ?? (isNamed ? nil : region) ?? .fromEnvironment(environment)
        return AWSClient(.sts, at: try endpoints.sts(in: region), as: credentials, tools)
    }

    /// Reads a small text file; nil when there is none.
    func text(ofFile path: String) throws(AWSError) -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20,
            let text = String(validating: data, as: UTF8.self)
        else { throw AWSError(.badCredentials, "\(path) cannot be read as a text of at most 1 MiB") }
        return text
    }
}
