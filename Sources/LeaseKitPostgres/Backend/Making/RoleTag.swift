// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The mark that our roles bear at the server: their comment.
///
///     leasekit/1 DEPLOYMENT LEASE epoch=3 role=app made=1790000000000000000 until=2026-11-21T08:00:00Z
///
/// `made` counts nanoseconds; `until` is where the lease ended when it was made, for people. Both by LeaseKit's clock.
struct RoleTag: Hashable, Sendable {
    var mark: LeaseMark
    var role: String
    var madeAt: LeaseInstant?
    var until: LeaseInstant?

    private static let begin = "leasekit/1 "

    /// What every tag of a deployment begins with.
    static func prefix(of deployment: String) -> String { "\(begin)\(escaped(deployment)) " }

    /// What the tag of a lease begins with, whatever epoch it was made in.
    static func prefix(of mark: LeaseMark) -> String { "\(prefix(of: mark.deployment))\(mark.lease.text) " }

    var text: String {
        var text = "\(Self.prefix(of: mark))epoch=\(mark.epoch) role=\(Self.escaped(role))"
        if let madeAt { text += " made=\(madeAt.nanosecondsSinceEpoch)" }
        if let until { text += " until=\(Self.escaped(until.description))" }
        return text
    }

    init(mark: LeaseMark, role: String, madeAt: LeaseInstant?, until: LeaseInstant?) {
        self.mark = mark
        self.role = role
        self.madeAt = madeAt
        self.until = until
    }

    /// Reads a tag; nil for a comment that is none.
    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count >= 3, words[0] + " " == Self.begin, let deployment = Self.unescaped(words[1]),
            let lease = LeaseID(words[2])
        else { return nil }
        var fields: [String: String] = [:]
        for word in words.dropFirst(3) {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        guard let epoch = fields["epoch"].flatMap(UInt64.init) else { return nil }
        mark = LeaseMark(deployment: deployment, lease: lease, epoch: epoch)
        role = fields["role"].flatMap(Self.unescaped) ?? ""
        madeAt = fields["made"].flatMap(Int64.init).map { LeaseInstant(nanosecondsSinceEpoch: $0) }
        until = nil
    }

    /// A text without blanks and equal signs.
    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain = (byte.isWordPart && byte < 0x80) || "-.:/".utf8.contains(byte)
            if isPlain {
                bytes.append(byte)
            } else {
                let hex = String(byte, radix: 16)
                bytes += "%\(hex.count == 1 ? "0" : "")\(hex)".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func unescaped(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
