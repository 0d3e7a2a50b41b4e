// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the server keeps for a connection: statements that are sent again and again, by their texts.
struct PreparedStatements {
    /// More than that are sent as they are: the texts are ours, and few.
    private static let limit = 64

    private var names: [String: String] = [:]
    private var last: UInt64
    /// Told apart from those of others, should a pooler share the connection.
    private let owner = UInt32.random(in: 0 ... .max)

    init() { last = 0 }

    /// What the server calls a text; nil for one that it does not keep.
    subscript(text: String) -> String? { names[text] }

    /// A name for a text that the server does not keep yet; nil when there are enough.
    mutating func newName() -> String? {
        if names.count >= Self.limit { return nil }
        last += 1
        return "leasekit_\(owner)_\(last)"
    }

    /// The server keeps it from now on.
    mutating func add(_ text: String, as name: String) { names[text] = name }

    /// The server does not know what was thought to be there.
    mutating func forget() { names = [:] }
}
