// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A profile of the shared files.
struct ProfileSource: AWSCredentialsProvider {
    /// Nil for the one that the environment names, else `default`.
    let name: String?
    let settings: AWSSourceSettings

    func credentials() async throws(AWSError) -> AWSCredentials {
        let asked = name ?? settings.value("AWS_PROFILE") ?? settings.value("AWS_DEFAULT_PROFILE")
        let profiles = try readProfiles()
        let name = asked ?? "default"
        guard let profile = profiles[name], !profile.isEmpty else {
            let code: AWSError.Code = asked == nil ? .noCredentials : .badCredentials
            throw AWSError(code, "there is no profile \"\(name)\": write it into ~/.aws/config, or correct AWS_PROFILE")
        }
        guard let source = try source(name, profiles, []) else {
            let code: AWSError.Code = asked == nil ? .noCredentials : .badCredentials
            throw AWSError(code, "the profile \"\(name)\" has no credentials: give it a key or a role_arn")
        }
        do {
            return try await source.credentials()
        } catch  where error.code == .noCredentials {
            // The profile is set up: whoever asks must not pass it over.
            throw AWSError(.badCredentials, "the profile \"\(name)\" has no credentials: \(error.message)")
        }
    }

    /// Keys in the file of credentials win over those in the configuration.
    private func readProfiles() throws(AWSError) -> [String: [String: String]] {
        let home = settings.value("HOME") ?? settings.value("USERPROFILE")
        let places = [
            (settings.value("AWS_CONFIG_FILE") ?? home.map { "\($0)/.aws/config" }, true),
            (settings.value("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { "\($0)/.aws/credentials" }, false),
        ]
        var profiles: [String: [String: String]] = [:]
        for (path, isConfiguration) in places {
            guard let path, let text = try settings.text(ofFile: path) else { continue }
            for (name, values) in ConfigurationFile(text, isConfiguration: isConfiguration).sections {
                profiles[name, default: [:]].merge(values) { $1 }
            }
        }
        return profiles
    }

    /// What a profile stands for; `path` are the profiles that led here.
    private func source(
        _ name: String,
        _ profiles: [String: [String: String]],
        _ path: [String]
    ) throws(AWSError) -> (any AWSCredentialsProvider)? {
        guard let profile = profiles[name] else {
            throw AWSError(
                .badCredentials,
                "there is no profile \"\(name)\", which \"\(path.last ?? name)\" names as its source"
            )
        }
        if path.contains(name) {
            throw AWSError(
                .badCredentials,
                "the profiles \((path + [name]).joined(separator: " → ")) go round in a circle"
            )
        }
        guard let arn = profile["role_arn"] else { return try key(name, profile) }
        let region = profile["region"].map { AWSRegion($0) }
        if let file = profile["web_identity_token_file"] {
            return WebIdentitySource(
                settings: settings,
                tokenFile: file,
                roleARN: arn,
                sessionName: profile["role_session_name"],
                region: region
            )
        }
        if profile["mfa_serial"] != nil {
            throw AWSError(
                .badCredentials,
                "the profile \"\(name)\" wants a code of an MFA device, and nobody is here to type it: leave mfa_serial out, or "
                    + "name a profile whose credential_process asks for it"
            )
        }
        return RoleSource(
            arn: arn,
            sessionName: profile["role_session_name"] ?? "leasekit",
            externalID: profile["external_id"],
            duration: profile["duration_seconds"].flatMap { Int($0) },
            region: region,
            source: try base(of: name, profile, profiles, path),
            settings: settings
        )
    }

    /// Whose credentials a role is assumed with.
    private func base(
        of name: String,
        _ profile: [String: String],
        _ profiles: [String: [String: String]],
        _ path: [String]
    ) throws(AWSError) -> any AWSCredentialsProvider {
        switch (profile["source_profile"], profile["credential_source"]) {
        case (name?, nil):
            // A profile may be its own source, with the key that stands beside its role.
            if let key = try key(name, profile) { return key }
        case (let other?, nil):
            if let source = try source(other, profiles, path + [name]) { return source }
            throw AWSError(.badCredentials, "the profile \"\(other)\", the source of \"\(name)\", has no credentials")
        case (nil, "Environment"): return EnvironmentSource(settings: settings)
        case (nil, "Ec2InstanceMetadata"): return InstanceSource(settings: settings)
        case (nil, "EcsContainer"): return ContainerSource(settings: settings)
        default: break
        }
        throw AWSError(
            .badCredentials,
            "the profile \"\(name)\" has a role_arn and nobody to assume it: give it one of source_profile and credential_source"
        )
    }

    private func key(_ name: String, _ profile: [String: String]) throws(AWSError) -> (any AWSCredentialsProvider)? {
        let (id, secret) = (profile["aws_access_key_id"], profile["aws_secret_access_key"])
        if id == nil && secret == nil {
            if let command = profile["credential_process"] {
                return ProcessSource(command: command, profile: name, settings: settings)
            }
            // Opening browsers is not for a service.
            for other in ["sso_session", "sso_start_url"] where profile[other] != nil {
                throw AWSError(
                    .badCredentials,
                    "the profile \"\(name)\" uses \(other), and LeaseKit opens no browser: name a profile that has "
                        + "credential_process = aws configure export-credentials --profile \(name)"
                )
            }
            return nil
        }
        guard let id, let secret, !id.isEmpty, !secret.isEmpty else {
            throw AWSError(
                .badCredentials,
                "the profile \"\(name)\" has half a key: aws_access_key_id and aws_secret_access_key belong together"
            )
        }
        return StaticAWSCredentials(
            accessKeyID: id,
            secretAccessKey: SecretText(secret),
            sessionToken: profile["aws_session_token"].map { SecretText($0) }
        )
    }
}
