// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// What containers and machines are told about their role.
struct MetadataAnswer: Decodable {
    let code: String?
    let accessKeyID: String?
    let secretAccessKey: String?
    let token: String?
    let expiration: String?
    let roleARN: String?

    private enum CodingKeys: String, CodingKey {
        case code = "Code"
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case expiration = "Expiration"
        case roleARN = "RoleArn"
    }

    /// Reads an answer; of one that is broken nothing is repeated.
    static func credentials(_ response: AWSHTTPResponse, of source: String) throws(AWSError) -> AWSCredentials {
        guard response.status == 200 else {
            throw AWSError(.badCredentials, "\(source) answers with status \(response.status)", status: response.status)
        }
        guard let answer = try? JSONDecoder().decode(MetadataAnswer.self, from: Data(response.body)),
            answer.code ?? "Success" == "Success", let id = answer.accessKeyID, let secret = answer.secretAccessKey
        else { throw AWSError(.badCredentials, "\(source) answers with something that holds no credentials") }
        let end = answer.expiration.map { LeaseInstant(iso8601: $0) }
        if let end, end == nil { throw AWSError(.badCredentials, "\(source) names an Expiration that is no time") }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: SecretText(secret),
            sessionToken: answer.token.map { SecretText($0) },
            expiresAt: end ?? nil,
            principal: answer.roleARN,
            origin: .role
        )
    }
}

extension AWSSourceSettings {
    /// Asks a service of the machine, a few times.
    func ask(_ request: AWSHTTPRequest, timeout: Duration, tries: Int = 3) async throws(AWSError) -> AWSHTTPResponse {
        var left = tries
        while true {
            left -= 1
            do throws(AWSTransportError) {
                let response = try await tools.exchange(request, timeout: timeout)
                if response.status < 500 || left == 0 { return response }
            } catch {
                if left == 0 { throw AWSError(.unreachable, "\(request.host): \(error.message)") }
            }
            let pause = retry.wait(before: tries - left, jitter: LeaseEntropy.system.unit())
            do { try await time.sleep(until: time.read().continuous + min(pause, .seconds(1))) } catch {
                throw AWSError(.unreachable, "\(request.host): the wait for it was cancelled")
            }
        }
    }
}
