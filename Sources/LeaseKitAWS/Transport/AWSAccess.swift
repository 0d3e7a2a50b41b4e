// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Who LeaseKit is at AWS, and how it gets there: what every backend of this module is made with.
public struct AWSAccess: Sendable {
    /// The region; it decides the partition too.
    public let region: AWSRegion
    let iam: AWSClient
    let sts: AWSClient
    let tools: AWSClient.Tools
    let credentials: any AWSCredentialsProvider

    /// Makes an access.
    ///
    /// - Parameters:
    ///   - credentials: Where the own credentials come from.
    ///   - region: The region whose STS is asked.
    ///   - endpoints: Other addresses than AWS's own.
    ///   - transport: The HTTP client.
    ///   - retry: How calls deal with what may work next time.
    ///   - time: The clocks; those of the manager.
    ///   - entropy: Where jitter comes from.
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for an address that is none.
    public init(
        credentials: any AWSCredentialsProvider,
        region: AWSRegion,
        endpoints: AWSEndpoints = AWSEndpoints(),
        transport: any AWSTransport = URLSessionTransport(),
        retry: AWSRetryPolicy = AWSRetryPolicy(),
        time: any LeaseTime = SystemTime(),
        entropy: LeaseEntropy = .system
    ) throws(AWSError) {
        self.region = region
        self.credentials = credentials
        tools = AWSClient.Tools(transport: transport, time: time, clock: ServerClock(), retry: retry, entropy: entropy)
        iam = AWSClient(.iam, at: try endpoints.iam(in: region), as: credentials, tools)
        sts = AWSClient(.sts, at: try endpoints.sts(in: region), as: credentials, tools)
    }

    /// The same services as somebody else.
    func asking(as credentials: AWSCredentials) -> AWSClient {
        AWSClient(.sts, at: sts.endpoint, as: StaticAWSCredentials(credentials), tools)
    }

    /// LeaseKit's own credentials as they are now.
    func ownCredentials() async throws(AWSError) -> AWSCredentials {
        do { return try await credentials.credentials() } catch { throw error.asLogin }
    }

    /// Where the continuous clock will be when a backend's call is over.
    func deadline(of call: BackendCall) -> Duration { tools.time.read().continuous + call.timeout }
}

/// Other addresses than AWS's own: a VPC endpoint, an emulator.
public struct AWSEndpoints: Hashable, Sendable {
    /// The address of IAM, such as `http://127.0.0.1:5000`.
    public var iam: String?
    /// The address of STS.
    public var sts: String?
    /// Whether the global STS is asked instead of the region's.
    public var usesGlobalSTS: Bool

    /// Makes addresses; what is left out is AWS's own.
    public init(iam: String? = nil, sts: String? = nil, usesGlobalSTS: Bool = false) {
        self.iam = iam
        self.sts = sts
        self.usesGlobalSTS = usesGlobalSTS
    }

    /// One address for all, as emulators have it.
    public static func all(at address: String) -> AWSEndpoints { AWSEndpoints(iam: address, sts: address) }

    func iam(in region: AWSRegion) throws(AWSError) -> AWSEndpoint {
        guard let iam else { return region.partition.iam }
        return try AWSEndpoint(address: iam, signingRegion: region.partition.globalRegion.name)
    }

    func sts(in region: AWSRegion) throws(AWSError) -> AWSEndpoint {
        if let sts { return try AWSEndpoint(address: sts, signingRegion: region.name) }
        // Only the partition for everybody has a global one.
        guard usesGlobalSTS, region.partition == .aws else { return region.partition.sts(in: region) }
        return AWSEndpoint(host: "sts.amazonaws.com", signingRegion: "us-east-1")
    }
}
