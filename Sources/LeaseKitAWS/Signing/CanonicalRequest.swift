// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A request in the one form that both sides sign.
struct CanonicalRequest {
    var bytes: [UInt8]
    let signedHeaders: [UInt8]

    /// Headers that proxies and clients change on the way.
    private static let unsigned: Set<String> = [
        "authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    ]

    /// `query` are the pairs as they go over the wire, encoded; `bodyHash` is in hexadecimal digits.
    init(_ request: AWSHTTPRequest, query: [[UInt8]], bodyHash: [UInt8]) {
        let headers = Self.headers(of: request)
        var names: [UInt8] = []
        for (position, header) in headers.enumerated() {
            if position > 0 { names.append(UInt8(ascii: ";")) }
            names += header.name
        }
        bytes = []
        bytes.reserveCapacity(1_024)
        bytes += request.method.utf8
        bytes.append(Self.newline)
        PercentCoding.append(Self.normalized(request.path), to: &bytes, keepsSlashes: true)
        bytes.append(Self.newline)
        for (position, pair) in query.sorted(by: Self.comesFirst).enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: "&")) }
            bytes += pair
        }
        bytes.append(Self.newline)
        for header in headers {
            bytes += header.name
            bytes.append(UInt8(ascii: ":"))
            bytes += header.value
            bytes.append(Self.newline)
        }
        bytes.append(Self.newline)
        bytes += names
        bytes.append(Self.newline)
        bytes += bodyHash
        signedHeaders = names
    }

    private static let newline = UInt8(ascii: "\n")

    /// Pairs are ordered by name and then by value, so the `=` between them counts less than any letter.
    private static func comesFirst(_ lhs: [UInt8], _ rhs: [UInt8]) -> Bool {
        lhs.lexicographicallyPrecedes(rhs) { rank($0) < rank($1) }
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "=") ? 0 : byte }

    /// A path without dot segments and double slashes; it stays encoded as it is.
    static func normalized(_ path: String) -> String {
        if path == "/" || path.isEmpty { return "/" }
        var segments: [Substring] = []
        for segment in path.split(separator: "/") where segment != "." {
            if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
        }
        let end = path.hasSuffix("/") && !segments.isEmpty ? "/" : ""
        return (path.hasPrefix("/") ? "/" : "") + segments.joined(separator: "/") + end
    }

    private struct Header {
        let name: [UInt8]
        var value: [UInt8]
    }

    /// Names in lower case and in order, values with single spaces; those of one name joined.
    private static func headers(of request: AWSHTTPRequest) -> [Header] {
        var found: [Header] = [Header(name: Array("host".utf8), value: Array(request.host.utf8))]
        found.reserveCapacity(request.headers.count + 1)
        for header in request.headers {
            let name = header.name.lowercased()
            if name == "host" || unsigned.contains(name) { continue }
            let (name8, value) = (Array(name.utf8), trimmed(header.value))
            if let place = found.firstIndex(where: { $0.name == name8 }) {
                found[place].value.append(UInt8(ascii: ","))
                found[place].value += value
            } else {
                found.append(Header(name: name8, value: value))
            }
        }
        found.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return found
    }

    private static func trimmed(_ value: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.utf8.count)
        for byte in value.utf8 {
            let isSpace = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
            if !isSpace {
                bytes.append(byte)
            } else if let last = bytes.last, last != UInt8(ascii: " ") {
                bytes.append(UInt8(ascii: " "))
            }
        }
        if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        return bytes
    }
}
