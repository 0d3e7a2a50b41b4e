// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A request as it goes over the wire.
///
/// Printing it shows neither headers nor body: both may hold what opens something.
public struct AWSHTTPRequest: Sendable {
    /// The method, such as `POST`.
    public var method: String
    /// `https` or `http`.
    public var scheme: String
    /// The host, with its port where that is not the scheme's own.
    public var host: String
    /// The path, percent-encoded as it is sent; begins with a slash.
    public var path: String
    /// The query's parameters in their order, not encoded.
    public var query: [(name: String, value: String)]
    /// The headers but `Host`.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// Makes a request.
    public init(
        method: String = "GET",
        scheme: String = "https",
        host: String,
        path: String = "/",
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.scheme = scheme
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, whatever its case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The address, as a client of HTTP takes it.
    public var address: String {
        var address = "\(scheme)://\(host)\(path)"
        if !query.isEmpty { address += "?" + String(decoding: PercentCoding.form(query), as: UTF8.self) }
        return address
    }

    /// The pairs of the query as they are sent.
    var encodedQuery: [[UInt8]] { query.isEmpty ? [] : query.map { PercentCoding.form([$0]) } }

    mutating func removeHeaders(_ names: Set<String>) {
        if headers.contains(where: { names.contains($0.name.lowercased()) }) {
            headers.removeAll { names.contains($0.name.lowercased()) }
        }
    }
}

extension AWSHTTPRequest: CustomStringConvertible, CustomReflectable {
    /// Method, host and path.
    public var description: String { "\(method) \(scheme)://\(host)\(path)" }
    /// Method, host and path.
    public var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}
