// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Reads and writes durations the way operators type them.
///
/// ```swift
/// let ttl = try LeaseDuration.parse("1h30m")
/// print(LeaseDuration.text(of: ttl))  // 1h30m
/// ```
///
/// The units are `d`, `h`, `m`, `s`, `ms`, `us` (also `µs`) and `ns`. There are no weeks: the systems that hand out
/// leases do not know them, so a setting with one could not be carried over. Write `14d`.
public enum LeaseDuration: Sendable {
    /// Reads a duration such as `90s`, `1h30m`, `7d`, `1.5h`, `250ms`, or whole seconds without a unit (`3600`).
    ///
    /// Each unit may occur once. The result is exact: what cannot be kept exactly is refused, never rounded.
    ///
    /// - Parameters:
    ///   - text: What was typed, with nothing around it.
    ///   - allowingNegative: Whether a minus sign in front is accepted.
    /// - Returns: The duration.
    /// - Throws: ``LeaseDurationError``, which says where the text goes wrong and what would be right.
    public static func parse(
        _ text: String,
        allowingNegative: Bool = false
    ) throws(LeaseDurationError) -> Duration {
        var parser = Parser(text)
        return try parser.parse(allowingNegative: allowingNegative)
    }

    /// The longest duration that ``parse(_:allowingNegative:)`` accepts.
    static let longest = Duration.seconds(Int64.max)

    /// A unit of time, from the longest to the shortest.
    enum Unit: CaseIterable {
        case days, hours, minutes, seconds, milliseconds, microseconds, nanoseconds

        init?(_ spelling: some StringProtocol) {
            switch spelling {
            case "d": self = .days
            case "h": self = .hours
            case "m": self = .minutes
            case "s": self = .seconds
            case "ms": self = .milliseconds
            // The micro sign and the Greek letter look alike, keyboards offer either.
            case "us", "\u{B5}s", "\u{3BC}s": self = .microseconds
            case "ns": self = .nanoseconds
            default: return nil
            }
        }

        /// The unit as it is written, in ASCII.
        var spelling: String {
            switch self {
            case .days: "d"
            case .hours: "h"
            case .minutes: "m"
            case .seconds: "s"
            case .milliseconds: "ms"
            case .microseconds: "us"
            case .nanoseconds: "ns"
            }
        }

        /// The unit's length in attoseconds, the finest that `Duration` knows.
        var attoseconds: Int128 {
            switch self {
            case .days: 86_400 * Self.second
            case .hours: 3_600 * Self.second
            case .minutes: 60 * Self.second
            case .seconds: Self.second
            case .milliseconds: Self.second / 1_000
            case .microseconds: Self.second / 1_000_000
            case .nanoseconds: Self.second / 1_000_000_000
            }
        }

        private static let second: Int128 = 1_000_000_000_000_000_000
    }
}
