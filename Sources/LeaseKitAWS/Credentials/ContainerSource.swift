// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// What a container is given by the agent beside it.
struct ContainerSource: AWSCredentialsProvider {
    let settings: AWSSourceSettings

    private static let agent = "169.254.170.2"
    /// Hosts that may be asked without encryption: they are on this machine.
    private static let local: Set<String> = [agent, "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"]

    func credentials() async throws(AWSError) -> AWSCredentials {
        var request = try address()
        request.headers.append(("Accept", "application/json"))
        if let token = try token() { request.headers.append(("Authorization", token)) }
        let response = try await settings.ask(request, timeout: max(settings.metadataTimeout, .seconds(2)))
        return try MetadataAnswer.credentials(response, of: "the container's agent")
    }

    private func address() throws(AWSError) -> AWSHTTPRequest {
        if let path = settings.value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            guard path.hasPrefix("/") else {
                throw AWSError(.badCredentials, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash")
            }
            return AWSHTTPRequest(scheme: "http", host: Self.agent, path: path)
        }
        guard let address = settings.value("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
            throw AWSError(.noCredentials, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and …_FULL_URI are not set")
        }
        guard let url = URLComponents(string: address), let scheme = url.scheme, let host = url.host, !host.isEmpty
        else {
            throw AWSError(.badCredentials, "AWS_CONTAINER_CREDENTIALS_FULL_URI is no address")
        }
        // A token must not go to any host in the clear.
        let isLocal = Self.local.contains(host) || Self.local.contains("[\(host)]") || isLoopback(host)
        guard scheme == "https" || (scheme == "http" && isLocal) else {
            throw AWSError(
                .badCredentials,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that is not on this machine: use https"
            )
        }
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        var path = url.percentEncodedPath.isEmpty ? "/" : url.percentEncodedPath
        if let query = url.percentEncodedQuery { path += "?\(query)" }
        return AWSHTTPRequest(scheme: scheme, host: bracketed + (url.port.map { ":\($0)" } ?? ""), path: path)
    }

    /// The whole of 127.0.0.0/8 is this machine.
    private func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private func token() throws(AWSError) -> String? {
        var token = settings.value("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let file = settings.value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard let text = try settings.text(ofFile: file) else {
                throw AWSError(
                    .badCredentials,
                    "there is no \(file), which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names"
                )
            }
            token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if let token, token.utf8.contains(where: { $0 == 10 || $0 == 13 }) {
            throw AWSError(.badCredentials, "the container's authorization token has a line break in it")
        }
        return token
    }
}
