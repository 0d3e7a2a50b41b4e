// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Where LeaseKit's own credentials at AWS come from.
public protocol AWSCredentialsProvider: Sendable {
    /// The credentials as they are now; asked before each request, so a slow source remembers them.
    ///
    /// - Throws: ``AWSError``; with code ``AWSError/Code/noCredentials`` when this source is not set up at all, so that a
    ///   chain asks the next one.
    func credentials() async throws(AWSError) -> AWSCredentials
}

/// A source that remembers, and can be told that what it remembers is not accepted any more.
protocol RefreshableCredentials: AWSCredentialsProvider {
    /// Asks anew next time, unless what it remembers is newer than what was refused.
    func forget(_ refused: AWSCredentials)
}

/// A source whose key another process, or another call, may have exchanged.
protocol RotatedCredentials: AWSCredentialsProvider {
    /// Whether another key than the one that was refused counts by now.
    func isReplaced(_ refused: AWSCredentials) async -> Bool
}

/// Credentials that the application has.
public struct StaticAWSCredentials: AWSCredentialsProvider {
    private let value: AWSCredentials

    /// Takes credentials.
    public init(_ credentials: AWSCredentials) { value = credentials }

    /// Takes a key.
    public init(accessKeyID: String, secretAccessKey: SecretText, sessionToken: SecretText? = nil) {
        value = AWSCredentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: sessionToken
        )
    }

    /// The same ones always.
    public func credentials() async throws(AWSError) -> AWSCredentials { value }
}
