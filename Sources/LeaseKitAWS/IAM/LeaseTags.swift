// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The mark of a lease as tags of its user, and as the path that the user lies in.
enum LeaseTags {
    private static let deployment = "leasekit:deployment"
    private static let lease = "leasekit:lease"
    private static let epoch = "leasekit:epoch"
    static let count = 3

    static func tags(_ mark: LeaseMark) -> [(key: String, value: String)] {
        [
            (deployment, escaped(mark.deployment)), (lease, mark.lease.text), (epoch, String(mark.epoch)),
        ]
    }

    /// Whether these are the tags of a mark's lease.
    static func bear(_ mark: LeaseMark, _ tags: [String: String]) -> Bool {
        tags[deployment] == escaped(mark.deployment) && tags[lease] == mark.lease.text
    }

    /// Where a deployment's users are.
    static func path(of deployment: String) -> String { "/leasekit/\(escaped(deployment))/" }

    static func path(_ mark: LeaseMark, _ below: String) -> String {
        path(of: mark.deployment) + "\(mark.epoch)" + (below.isEmpty ? "/" : below)
    }

    /// Reads the mark of a user from its name and its path.
    static func mark(ofUser name: String, at path: String, of deployment: String) -> LeaseMark? {
        let prefix = self.path(of: deployment)
        guard path.hasPrefix(prefix), let lease = LeaseID(String(name.suffix(26))) else { return nil }
        let rest = path.dropFirst(prefix.count)
        guard let epoch = rest.split(separator: "/").first.flatMap({ UInt64($0) }) else { return nil }
        return LeaseMark(deployment: deployment, lease: lease, epoch: epoch)
    }

    /// A deployment's name with letters that paths and tags may have; `=` leads two digits.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += "=" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return escaped
    }
}
