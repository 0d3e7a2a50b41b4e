// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Who somebody is, as an ARN says it.
struct AWSIdentity: Sendable, Hashable {
    let arn: String
    let account: String
    let partition: String

    init?(arn: String) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", !parts[4].isEmpty else { return nil }
        self.arn = arn
        partition = String(parts[1])
        account = String(parts[4])
    }

    /// What tells one account from all others.
    var fingerprint: String { "\(partition)/\(account)" }
    /// Whether it is a role that somebody has assumed.
    var isRole: Bool { arn.contains(":assumed-role/") }

    /// Asks who the client's own credentials are.
    static func own(_ sts: AWSClient, until deadline: Duration) async throws(AWSError) -> AWSIdentity {
        let reply = try await sts.call("GetCallerIdentity", until: deadline)
        guard let arn = reply.result.text("Arn"), let identity = AWSIdentity(arn: arn) else {
            throw AWSError(.unreadableAnswer, "the answer names nobody", action: "sts:GetCallerIdentity")
        }
        return identity
    }
}
