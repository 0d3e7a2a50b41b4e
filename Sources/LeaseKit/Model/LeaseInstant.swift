// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A point in time, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates: adding to a late instant never wraps around, it stops at ``distantFuture``.
public struct LeaseInstant: Hashable, Sendable {
    /// Nanoseconds since the start of 1970, UTC.
    public let nanosecondsSinceEpoch: Int64

    /// Makes an instant from nanoseconds since the start of 1970, UTC.
    public init(nanosecondsSinceEpoch: Int64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    /// Makes an instant from whole seconds since the start of 1970, UTC.
    public init(secondsSinceEpoch: Int64) {
        let (product, overflow) = secondsSinceEpoch.multipliedReportingOverflow(by: 1_000_000_000)
        self.init(nanosecondsSinceEpoch: overflow ? (secondsSinceEpoch < 0 ? .min : .max) : product)
    }

    /// Later than anything that happens: the end of what never ends.
    public static let distantFuture = LeaseInstant(nanosecondsSinceEpoch: .max)
    /// Earlier than anything that happens.
    public static let distantPast = LeaseInstant(nanosecondsSinceEpoch: .min)

    /// The instant that lies `duration` after this one.
    public func advanced(by duration: Duration) -> LeaseInstant {
        if self == .distantFuture || self == .distantPast { return self }
        let (sum, overflow) = nanosecondsSinceEpoch.addingReportingOverflow(duration.saturatingNanoseconds)
        if overflow { return duration < .zero ? .distantPast : .distantFuture }
        return LeaseInstant(nanosecondsSinceEpoch: sum)
    }

    /// The time from this instant to `other`; negative when `other` is earlier.
    public func duration(to other: LeaseInstant) -> Duration {
        let (difference, overflow) = other.nanosecondsSinceEpoch
            .subtractingReportingOverflow(nanosecondsSinceEpoch)
        if overflow { return .nanoseconds(other > self ? Int64.max : Int64.min) }
        return .nanoseconds(difference)
    }
}

extension LeaseInstant: Comparable {
    /// Whether `lhs` is earlier than `rhs`.
    public static func < (lhs: LeaseInstant, rhs: LeaseInstant) -> Bool {
        lhs.nanosecondsSinceEpoch < rhs.nanosecondsSinceEpoch
    }

    /// The instant that lies `duration` after `instant`.
    public static func + (instant: LeaseInstant, duration: Duration) -> LeaseInstant {
        instant.advanced(by: duration)
    }

    /// The instant that lies `duration` before `instant`.
    public static func - (instant: LeaseInstant, duration: Duration) -> LeaseInstant {
        instant.advanced(by: .zero - duration)
    }

    /// The time from `rhs` to `lhs`.
    public static func - (lhs: LeaseInstant, rhs: LeaseInstant) -> Duration {
        rhs.duration(to: lhs)
    }
}

extension Duration {
    /// Whether it is longer than nothing: asked at every decision, and cheaper than a comparison with `.zero`.
    var isPositive: Bool { attoseconds > 0 }

    /// The whole nanoseconds of this duration, held at the ends of `Int64` (about 292 years).
    package var saturatingNanoseconds: Int64 {
        let attosecondsPerNanosecond: UInt64 = 1_000_000_000
        let magnitude = attoseconds.magnitude
        let (high, low) = (UInt64(truncatingIfNeeded: magnitude >> 64), UInt64(truncatingIfNeeded: magnitude))
        // The quotient fits into 64 bits, so that one instruction divides instead of a routine for 128.
        guard high < attosecondsPerNanosecond else { return attoseconds < 0 ? .min : .max }
        let nanoseconds = attosecondsPerNanosecond.dividingFullWidth((high, low)).quotient
        if attoseconds < 0 { return nanoseconds > Int64.max.magnitude ? .min : -Int64(nanoseconds) }
        return nanoseconds > Int64.max.magnitude ? .max : Int64(nanoseconds)
    }
}
