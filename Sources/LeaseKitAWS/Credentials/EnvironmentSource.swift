// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The key in the environment.
struct EnvironmentSource: AWSCredentialsProvider {
    let settings: AWSSourceSettings

    func credentials() async throws(AWSError) -> AWSCredentials {
        let (id, secret) = (settings.value("AWS_ACCESS_KEY_ID"), settings.value("AWS_SECRET_ACCESS_KEY"))
        if id == nil && secret == nil { throw AWSError(.noCredentials, "AWS_ACCESS_KEY_ID is not set") }
        guard let id, let secret else {
            throw AWSError(.badCredentials, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both")
        }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: SecretText(secret),
            sessionToken: settings.value("AWS_SESSION_TOKEN").map { SecretText($0) }
        )
    }
}
