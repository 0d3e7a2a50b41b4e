// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// The token that a platform writes into a file, exchanged for a role.
struct WebIdentitySource: AWSCredentialsProvider {
    let settings: AWSSourceSettings
    var tokenFile: String?
    var roleARN: String?
    var sessionName: String?
    var region: AWSRegion?

    func credentials() async throws(AWSError) -> AWSCredentials {
        guard let file = tokenFile ?? settings.value("AWS_WEB_IDENTITY_TOKEN_FILE") else {
            throw AWSError(.noCredentials, "AWS_WEB_IDENTITY_TOKEN_FILE is not set")
        }
        guard let arn = roleARN ?? settings.value("AWS_ROLE_ARN") else {
            throw AWSError(.badCredentials, "a web identity needs a role: set AWS_ROLE_ARN")
        }
        // Read each time: the platform writes a new one before the old one ends.
        guard let token = try settings.text(ofFile: file)?.trimmingCharacters(in: .whitespacesAndNewlines),
            !token.isEmpty
        else { throw AWSError(.badCredentials, "there is no token in \(file)") }
        let name = sessionName ?? settings.value("AWS_ROLE_SESSION_NAME") ?? "leasekit"
        let reply = try await settings.sts(region, as: nil).call(
            "AssumeRoleWithWebIdentity",
            [("RoleArn", arn), ("RoleSessionName", name), ("WebIdentityToken", token)],
            until: settings.time.read().continuous + settings.timeout,
            signing: .none
        )
        return try STSReply(reply, settings.time.read(), asked: nil).credentials(.role)
    }
}
