// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// An answer as it came over the wire.
///
/// Printing it shows the status alone: the body may be a new key.
public struct AWSHTTPResponse: Sendable {
    /// The status, such as 200.
    public var status: Int
    /// The headers.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// Makes an answer.
    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name, whatever its case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

extension AWSHTTPResponse: CustomStringConvertible, CustomReflectable {
    /// The status.
    public var description: String { "status \(status), \(body.count) bytes" }
    /// The status.
    public var customMirror: Mirror { Mirror(self, children: ["status": status]) }
}
