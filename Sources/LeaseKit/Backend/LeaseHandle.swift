// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a backend needs to find and end a credential again: a role name, a user name and a key id.
///
/// It is stored with the lease, so it never holds the secret. It goes to the store as bytes and comes back as bytes;
/// a backend that grows must still read what it wrote a year ago.
public protocol LeaseHandle: Sendable {
    /// Reads a handle back from the store. Throwing sets the lease aside as quarantined.
    init(handleBytes: [UInt8]) throws
    /// The handle as it is stored: at most 64 KiB, small by habit.
    var handleBytes: [UInt8] { get }
}

/// A handle that is one piece of text, such as a user name.
///
/// It holds the bytes that are stored, so that going to the store and back copies nothing.
public struct TextHandle: LeaseHandle, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// The text as UTF-8.
    public private(set) var handleBytes: [UInt8]

    /// Makes a handle from a text.
    public init(_ text: String) { handleBytes = Array(text.utf8) }
    /// Makes a handle from a literal.
    public init(stringLiteral value: String) { self.init(value) }

    /// Reads a handle back; throws when the bytes are no UTF-8.
    public init(handleBytes: [UInt8]) throws {
        // Decoding repairs what is no UTF-8; what had to be repaired is not the same any more. ASCII needs no decoding.
        guard handleBytes.isASCII || String(decoding: handleBytes, as: UTF8.self).hasSameBytes(as: handleBytes) else {
            throw LeaseError(.invalidRequest, "a stored text handle is not UTF-8")
        }
        self.handleBytes = handleBytes
    }

    /// The text.
    public var text: String {
        get { String(decoding: handleBytes, as: UTF8.self) }
        set { handleBytes = Array(newValue.utf8) }
    }
    /// The text.
    public var description: String { text }
}
