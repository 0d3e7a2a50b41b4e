// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// What a machine is given: its metadata, version 2, which wants a session first.
struct InstanceSource: AWSCredentialsProvider {
    let settings: AWSSourceSettings

    private static let folder = "/latest/meta-data/iam/security-credentials/"

    func credentials() async throws(AWSError) -> AWSCredentials {
        if settings.value("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
            throw AWSError(.noCredentials, "AWS_EC2_METADATA_DISABLED is set")
        }
        let token = try await token()
        let names = try await get(Self.folder, token)
        guard names.status == 200 else { throw AWSError(.noCredentials, "this machine has no role") }
        let lines = String(decoding: names.body, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard let name = lines.first else { throw AWSError(.noCredentials, "this machine has no role") }
        let answer = try await get(Self.folder + PercentCoding.encoded(String(name)), token)
        return try MetadataAnswer.credentials(answer, of: "the machine's metadata")
    }

    /// Opens a session.
    ///
    /// Where nothing answers, this is no machine of AWS. The older version without a session is not asked: it can be reached
    /// through careless proxies.
    private func token() async throws(AWSError) -> String {
        var request = try request("/latest/api/token")
        request.method = "PUT"
        request.headers = [("X-aws-ec2-metadata-token-ttl-seconds", "21600")]
        let response: AWSHTTPResponse
        do {
            response = try await settings.ask(request, timeout: settings.metadataTimeout, tries: 2)
        } catch {
            throw AWSError(.noCredentials, "the machine's metadata do not answer (\(error.message))")
        }
        let token = String(decoding: response.body, as: UTF8.self)
        guard response.status == 200, !token.isEmpty, !token.contains(where: \.isNewline) else {
            throw AWSError(
                .noCredentials,
                "the machine's metadata give no session (status \(response.status)); is version 2 enabled?"
            )
        }
        return token
    }

    private func get(_ path: String, _ token: String) async throws(AWSError) -> AWSHTTPResponse {
        var request = try request(path)
        request.headers = [("X-aws-ec2-metadata-token", token)]
        return try await settings.ask(request, timeout: settings.metadataTimeout)
    }

    private func request(_ path: String) throws(AWSError) -> AWSHTTPRequest {
        guard let address = settings.value("AWS_EC2_METADATA_SERVICE_ENDPOINT") else {
            return AWSHTTPRequest(scheme: "http", host: "169.254.169.254", path: path)
        }
        let endpoint = try AWSEndpoint(address: address, signingRegion: "")
        return AWSHTTPRequest(scheme: endpoint.scheme, host: endpoint.host, path: path)
    }
}
