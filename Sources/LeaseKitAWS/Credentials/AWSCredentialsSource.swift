// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The sources of credentials that AWS's own tools know; each renews what it remembers before it ends.
public struct AWSCredentialsSource: AWSCredentialsProvider {
    private let provider: any AWSCredentialsProvider

    private init(_ provider: any AWSCredentialsProvider) { self.provider = provider }

    /// The credentials as they are now.
    public func credentials() async throws(AWSError) -> AWSCredentials { try await provider.credentials() }

    /// Every source in the order of AWS's tools: environment, web identity, profile, container, machine.
    ///
    /// The first one that is set up counts. One that is set up and broken is an error and not passed over: what another
    /// source has could be somebody else.
    public static func chain(_ settings: AWSSourceSettings = AWSSourceSettings()) -> AWSCredentialsSource {
        let sources: [any AWSCredentialsProvider] = [
            EnvironmentSource(settings: settings), WebIdentitySource(settings: settings),
            ProfileSource(name: nil, settings: settings), ContainerSource(settings: settings),
            InstanceSource(settings: settings),
        ]
        return cached(ChainSource(sources: sources), settings)
    }

    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    public static func environment(_ settings: AWSSourceSettings = AWSSourceSettings()) -> AWSCredentialsSource {
        AWSCredentialsSource(EnvironmentSource(settings: settings))
    }

    /// The token of a file, exchanged for a role: `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME`.
    public static func webIdentity(_ settings: AWSSourceSettings = AWSSourceSettings()) -> AWSCredentialsSource {
        cached(WebIdentitySource(settings: settings), settings)
    }

    /// A profile of `~/.aws/config` and `~/.aws/credentials`, with its `role_arn`, `source_profile`, `credential_process`.
    ///
    /// `name` is `AWS_PROFILE`, else `default`, when it is nil.
    public static func profile(
        _ name: String? = nil,
        _ settings: AWSSourceSettings = AWSSourceSettings()
    ) -> AWSCredentialsSource {
        cached(ProfileSource(name: name, settings: settings), settings)
    }

    /// What a container is given: `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`.
    public static func container(_ settings: AWSSourceSettings = AWSSourceSettings()) -> AWSCredentialsSource {
        cached(ContainerSource(settings: settings), settings)
    }

    /// What a machine is given: its metadata, version 2.
    public static func instance(_ settings: AWSSourceSettings = AWSSourceSettings()) -> AWSCredentialsSource {
        cached(InstanceSource(settings: settings), settings)
    }

    /// A role, assumed with the credentials of another source.
    public static func role(
        arn: String,
        sessionName: String = "leasekit",
        externalID: String? = nil,
        from source: any AWSCredentialsProvider,
        _ settings: AWSSourceSettings = AWSSourceSettings()
    ) -> AWSCredentialsSource {
        let role = RoleSource(
            arn: arn,
            sessionName: sessionName,
            externalID: externalID,
            duration: nil,
            region: nil,
            source: source,
            settings: settings
        )
        return cached(role, settings)
    }

    private static func cached(
        _ source: any AWSCredentialsProvider,
        _ settings: AWSSourceSettings
    ) -> AWSCredentialsSource {
        AWSCredentialsSource(CachedCredentials(source, settings.time))
    }
}

extension AWSCredentialsSource: RefreshableCredentials {
    func forget(_ refused: AWSCredentials) { (provider as? any RefreshableCredentials)?.forget(refused) }
}

/// The first source that is set up.
struct ChainSource: AWSCredentialsProvider {
    let sources: [any AWSCredentialsProvider]

    func credentials() async throws(AWSError) -> AWSCredentials {
        var last = "none was asked"
        for source in sources {
            do {
                return try await source.credentials()
            } catch  where error.code == .noCredentials {
                last = error.message
            }
        }
        throw AWSError(
            .noCredentials,
            "no source of credentials is set up: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, write a profile, "
                + "or give the container or the machine a role (the last one said: \(last))"
        )
    }
}
