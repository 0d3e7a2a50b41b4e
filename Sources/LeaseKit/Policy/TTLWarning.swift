// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Tells that a time was cut down to what is allowed.
public struct TTLWarning: Hashable, Sendable, CustomStringConvertible {
    /// Which time was cut down.
    public let code: Code
    /// The time before the cut.
    public let wanted: Duration
    /// The time after the cut: all that was allowed.
    public let allowed: Duration

    /// The warning in the words that Vault uses, in either rule set.
    ///
    /// Where it speaks of a TTL, the effective maximum in it is what is left of it, so the text differs from renewal
    /// to renewal.
    public var message: String {
        let subject = code == .periodCapped ? "period of" : "TTL of"
        let consequence = code == .periodCapped ? "period value" : "TTL value"
        let (wanted, allowed) = (LeaseDuration.vaultText(of: wanted), LeaseDuration.vaultText(of: allowed))
        return "\(subject) \"\(wanted)\" exceeded the effective max_ttl of \"\(allowed)\"; "
            + "\(consequence) is capped accordingly"
    }

    /// The same as ``message``.
    public var description: String { message }

    /// Classifies warnings.
    public struct Code: Hashable, Sendable {
        private enum Raw {
            case periodCapped, ttlCapped
        }

        private let raw: Raw

        /// The period is longer than the maximum of the layers.
        public static let periodCapped = Code(raw: .periodCapped)
        /// The time wanted is longer than what is left to the maximum.
        public static let ttlCapped = Code(raw: .ttlCapped)
    }
}
