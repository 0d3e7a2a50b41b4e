// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where a service is, and what its signatures name.
struct AWSEndpoint: Sendable, Hashable {
    let scheme: String
    let host: String
    let path: String
    let signingRegion: String

    init(scheme: String = "https", host: String, path: String = "/", signingRegion: String) {
        self.scheme = scheme
        self.host = host
        self.path = path
        self.signingRegion = signingRegion
    }

    /// Reads an address such as `http://127.0.0.1:5000`.
    init(address: String, signingRegion: String) throws(AWSError) {
        let parts = address.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        // A name, a password or a query in it would be signed otherwise than it is sent, and is nothing to print.
        guard address.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"@?#".utf8.contains($0) }) else {
            throw AWSError(
                .outOfBounds,
                "an endpoint has a space, a letter outside ASCII, or one of @ ? # in it: write it as https://host/path"
            )
        }
        guard parts.count >= 3, parts[0] == "https:" || parts[0] == "http:", parts[1].isEmpty, !parts[2].isEmpty else {
            throw AWSError(.outOfBounds, "\"\(address)\" is no endpoint: write it as https://host or http://host:port")
        }
        let scheme = String(parts[0].dropLast())
        var host = parts[2].lowercased()
        let ownPort = scheme == "https" ? ":443" : ":80"
        if host.hasSuffix(ownPort) { host.removeLast(ownPort.count) }
        self.init(
            scheme: scheme,
            host: host,
            path: "/" + (parts.count > 3 ? String(parts[3]) : ""),
            signingRegion: signingRegion
        )
    }
}
