// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// How the users of a role are named.
///
/// A name is a prefix, the 26 characters of the lease's id, and what tells people whose it is. The id is never cut, so that
/// no two leases share a name; what is cut is the part for people. Names have lower-case letters, digits and underscores
/// alone, and at most the 63 bytes that PostgreSQL keeps of a name.
public struct UserNameTemplate: Hashable, Sendable {
    /// What the name tells people, behind the id.
    public struct Part: Hashable, Sendable {
        enum Value: Hashable { case role, label, text(String) }
        let value: Value

        /// The name of the configured role.
        public static let role = Part(value: .role)
        /// What the request says, see ``PostgresRequest/label``.
        public static let label = Part(value: .label)
        /// The same text in every name.
        public static func text(_ text: String) -> Part { Part(value: .text(text)) }
    }

    /// What every name begins with: a lower-case letter, then letters, digits and underscores, 16 at most.
    public var prefix: String
    /// What stands behind the id, in this order.
    public var parts: [Part]

    /// Makes a template.
    public init(prefix: String = "lk", parts: [Part] = [.role, .label]) {
        self.prefix = prefix
        self.parts = parts
    }

    static let longest = 63

    func name(of lease: LeaseID, role: String, label: String?) -> String {
        var name = "\(prefix)_\(lease.text)"
        for part in parts {
            let text: String? =
                switch part.value {
                case .role: role
                case .label: label
                case .text(let text): text
                }
            let safe = Self.safe(text ?? "")
            if !safe.isEmpty { name += "_" + safe }
        }
        // ASCII alone: a character is a byte.
        return String(name.prefix(Self.longest))
    }

    var isValid: Bool {
        let bytes = Array(prefix.utf8)
        guard let first = bytes.first, bytes.count <= 16 else { return false }
        return first.isLowerCase && bytes.allSatisfy { $0.isLowerCase || $0.isDigit || $0 == UInt8(ascii: "_") }
    }

    /// Letters and digits in lower case; everything else becomes one underscore.
    private static func safe(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if lower.isLowerCase || lower.isDigit {
                bytes.append(lower)
            } else if let last = bytes.last, last != UInt8(ascii: "_") {
                bytes.append(UInt8(ascii: "_"))
            }
        }
        while bytes.last == UInt8(ascii: "_") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    var isLowerCase: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}
