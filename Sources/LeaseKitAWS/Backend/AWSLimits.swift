// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The limits of AWS that are checked here, so that a role says what is wrong with it before a credential is asked for.
enum AWSLimits {
    static let inlinePoliciesOfUser = 2_048
    static let sessionPolicies = 2_048
    static let sessionPolicyARNs = 10
    static let policiesOfUser = 20
    static let groupsOfUser = 10
    static let tags = 50
    static let userName = 64
    static let path = 512
    static let tagValue = 256

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_+=,.@-".utf8.contains(byte)
        }
    }

    /// What stays of a text in a name: other letters become `_`.
    static func name(_ text: String) -> String {
        String(decoding: text.utf8.map { isWord($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    static func check(name: String, of what: String, _ lengths: ClosedRange<Int>) throws(AWSError) {
        guard lengths.contains(name.utf8.count), name.utf8.allSatisfy(isWord) else {
            throw AWSError(
                .outOfBounds,
                "\(what) \"\(name)\" has \(name.utf8.count) characters; AWS takes \(lengths.lowerBound) to "
                    + "\(lengths.upperBound) of A-Z a-z 0-9 _+=,.@-"
            )
        }
    }

    /// `kind` is what the resource begins with, such as `policy/`.
    static func check(arn: String, of what: String, kind: String) throws(AWSError) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "iam", parts[3].isEmpty,
            parts[5].hasPrefix(kind), parts[5].utf8.count > kind.utf8.count, arn.utf8.count <= 2_048
        else {
            throw AWSError(.outOfBounds, "\(what) \"\(arn)\" is no ARN of the form arn:aws:iam::ACCOUNT:\(kind)NAME")
        }
    }

    static func check(count: Int, of what: String, atMost limit: Int, fix: String) throws(AWSError) {
        if count > limit { throw AWSError(.outOfBounds, "there are \(count) \(what), and AWS takes \(limit): \(fix)") }
    }

    /// `reserved` are those that LeaseKit adds.
    static func check(tags: [String: String], reserved: Int) throws(AWSError) {
        try check(
            count: tags.count + reserved,
            of: "tags with LeaseKit's own",
            atMost: Self.tags,
            fix: "leave some out"
        )
        for (key, value) in tags {
            let isFree = !key.lowercased().hasPrefix("aws:") && !key.lowercased().hasPrefix("leasekit:")
            guard (1...128).contains(key.count), value.count <= tagValue, isFree, isTag(key), isTag(value) else {
                throw AWSError(
                    .outOfBounds,
                    "the tag \"\(key)\" breaks a rule: keys have 1 to 128 characters and begin with neither aws: nor leasekit:, "
                        + "values have at most 256, and both are of letters, digits, spaces and _.:/=+-@"
                )
            }
        }
    }

    private static func isTag(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == " "
                || "_.:/=+-@".unicodeScalars.contains(scalar)
        }
    }

    static func check(limits: TTLLimits) throws(AWSError) {
        for value in [limits.ttl, limits.maximum, limits.period] {
            if let value, value <= .zero {
                throw AWSError(.outOfBounds, "a limit of time is not positive: leave it out or raise it")
            }
        }
        if let ttl = limits.ttl, let maximum = limits.maximum, ttl > maximum {
            throw AWSError(.outOfBounds, "the TTL is over the maximum: lower the one or raise the other")
        }
    }
}
