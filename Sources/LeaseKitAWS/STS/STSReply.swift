// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What STS answers when it makes credentials.
///
/// Their end is by the service's clock. By this machine's it is taken so that nobody believes in them for too long.
struct STSReply {
    let node: XMLNode
    let result: XMLNode
    let accessKeyID: String
    let secret: SecretText
    let token: SecretText
    /// How long they run, from the moment of the answer.
    let timeLeft: Duration
    /// When they end, by the service's clock.
    let endsAtService: LeaseInstant
    private let receivedAt: LeaseInstant

    /// Reads an answer that came just now.
    ///
    /// `asked` is how long they should run, if that was said.
    init(_ reply: AWSReply, _ received: TimeReading, asked: Duration?) throws(AWSError) {
        guard let node = reply.result["Credentials"], let id = node.text("AccessKeyId"),
            let secret = node.text("SecretAccessKey"), let token = node.text("SessionToken"),
            let end = node.text("Expiration").flatMap({ LeaseInstant(iso8601: $0) })
        else { throw AWSError(.unreadableAnswer, "an answer of STS has no credentials in it", mayHaveBeenDone: true) }
        self.node = node
        result = reply.result
        accessKeyID = id
        self.secret = SecretText(secret)
        self.token = SecretText(token)
        receivedAt = received.wall
        endsAtService = end
        // Both have whole seconds: together they may be one off.
        let told = (reply.date ?? received.wall).duration(to: end) - .seconds(1)
        timeLeft = min(told, asked ?? told)
    }

    func credentials(_ origin: AWSCredentials.Origin) throws(AWSError) -> AWSCredentials {
        AWSCredentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secret,
            sessionToken: token,
            expiresAt: receivedAt + timeLeft,
            principal: result["AssumedRoleUser"]?.text("Arn") ?? result["FederatedUser"]?.text("Arn"),
            origin: origin
        )
    }
}
