// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Says why no time can be granted, or why limits do not fit together.
public struct TTLError: Error, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let code: Code
    /// A sentence that names the numbers and the fix; safe to log.
    public let description: String

    /// Whether the same call may succeed later: never, since the same limits and time decide the same.
    public var isRetryable: Bool { false }

    /// The text of the same error in Vault; `nil` for what Vault does not refuse in this place.
    public var vaultText: String? {
        switch code {
        case .maximumNotPositive: "max TTL must be greater than zero"
        case .pastMaximum: "past the max TTL, cannot renew"
        default: nil
        }
    }

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Classifies errors.
    public struct Code: Hashable, Sendable {
        private enum Raw {
            case maximumNotPositive, pastMaximum, parentEnded, beyondBounds, noDefault, limitNotPositive, contradiction
        }

        private let raw: Raw

        /// Neither the system nor the mount has a maximum, or it is zero or negative.
        public static let maximumNotPositive = Code(raw: .maximumNotPositive)
        /// The lease is as old as it may become.
        public static let pastMaximum = Code(raw: .pastMaximum)
        /// The parent that binds the lease has ended.
        public static let parentEnded = Code(raw: .parentEnded)
        /// A time was asked for that is zero or negative.
        public static let beyondBounds = Code(raw: .beyondBounds)
        /// No time was asked for and no layer has a default.
        public static let noDefault = Code(raw: .noDefault)
        /// A layer has a limit that is zero or negative.
        public static let limitNotPositive = Code(raw: .limitNotPositive)
        /// Two limits contradict each other.
        public static let contradiction = Code(raw: .contradiction)
    }
}

extension TTLError: Hashable {
    /// Whether both have the same code; the sentence does not count.
    public static func == (lhs: TTLError, rhs: TTLError) -> Bool {
        lhs.code == rhs.code
    }

    /// Feeds the code into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
    }
}
