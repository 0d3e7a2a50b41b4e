// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A role, assumed with what another source has.
struct RoleSource: AWSCredentialsProvider {
    let arn: String
    let sessionName: String
    let externalID: String?
    let duration: Int?
    let region: AWSRegion?
    let source: any AWSCredentialsProvider
    let settings: AWSSourceSettings

    func credentials() async throws(AWSError) -> AWSCredentials {
        var parameters = [("RoleArn", arn), ("RoleSessionName", sessionName)] as [(name: String, value: String)]
        if let externalID { parameters.append(("ExternalId", externalID)) }
        if let duration { parameters.append(("DurationSeconds", String(duration))) }
        let reply = try await settings.sts(region, as: source).call(
            "AssumeRole",
            parameters,
            until: settings.time.read().continuous + settings.timeout
        )
        return try STSReply(reply, settings.time.read(), asked: nil).credentials(.role)
    }
}
