// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// What finds an ``InMemoryBackend``'s credential again: its name, and the number that the target gave it.
public struct InMemoryHandle: LeaseHandle, Hashable, CustomStringConvertible {
    /// The name, known before the credential is made.
    public let name: String
    /// The target's number, known once it was made.
    public var number: UInt64?

    /// Makes a handle.
    public init(name: String, number: UInt64? = nil) {
        self.name = name
        self.number = number
    }

    /// Reads a handle back.
    public init(handleBytes: [UInt8]) throws {
        let parts = try TextHandle(handleBytes: handleBytes).text.split(
            separator: "#",
            omittingEmptySubsequences: false
        )
        guard parts.count <= 2, let name = parts.first, !name.isEmpty else {
            throw LeaseError(.invalidRequest, "a stored in-memory handle is not a name with a number")
        }
        self.name = String(name)
        if parts.count == 2 {
            guard let number = UInt64(parts[1]) else {
                throw LeaseError(.invalidRequest, "a stored in-memory handle ends in something that is no number")
            }
            self.number = number
        }
    }

    /// The name, and behind a `#` the number.
    public var handleBytes: [UInt8] { Array(description.utf8) }
    /// The name, and behind a `#` the number.
    public var description: String { number.map { "\(name)#\($0)" } ?? name }
}
