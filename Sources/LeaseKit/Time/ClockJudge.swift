// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Decides what time it is.
///
/// Pure: readings in, a time or a dispute out.
///
/// ```
///  start, same boot     stored time + elapsed boot time          the wall clock is not asked
///  start, new boot      the wall clock, unless it lies behind the stored time or more than 7 days ahead of it
///  running              last time + elapsed continuous time      disputed when the wall clock parts by over a minute
/// ```
public struct ClockJudge: Sendable {
    /// How far ahead of the stored time a new boot's wall clock is believed.
    public static let believableGap = Duration.seconds(7 * 86_400)
    /// How far the wall clock may part from elapsed time while running, at once or in many steps.
    ///
    /// What a clock that is being set right gains or loses slowly does not count: half a millisecond a second, the most that the
    /// time services of an operating system slew by.
    public static let tolerance = Duration.seconds(60)

    private var anchor: LeaseInstant
    private var anchoredAt: Duration
    /// The reading that the wall clock is compared with: the last one, and what it would have shown without the steps so far.
    private var watchedAt: Duration
    private var wallWhenWatched: LeaseInstant
    private var suspendedAtAnchor: Duration
    /// Why the time is in doubt, if it is.
    public private(set) var dispute: ClockDispute?

    /// Judges the first reading against what a store has observed last.
    public init(_ reading: TimeReading, observed: ObservedTime?) {
        anchoredAt = reading.continuous
        watchedAt = reading.continuous
        wallWhenWatched = reading.wall
        suspendedAtAnchor = reading.continuous - reading.suspending
        anchor = reading.wall
        guard let observed else { return }
        let isSameBoot = !reading.bootID.isEmpty && observed.bootID == reading.bootID
        if isSameBoot && reading.continuous >= observed.continuous {
            anchor = observed.time + (reading.continuous - observed.continuous)
        } else if reading.wall < observed.time {
            anchor = observed.time
            dispute = .wallBehind(by: reading.wall.duration(to: observed.time))
        } else if reading.wall > observed.time + Self.believableGap {
            anchor = observed.time
            dispute = .wallAhead(by: observed.time.duration(to: reading.wall))
        }
    }

    /// The time at a reading.
    public func now(_ reading: TimeReading) -> LeaseInstant {
        now(atContinuous: reading.continuous)
    }

    /// The time at a reading of the continuous clock, the only one that it depends on.
    func now(atContinuous continuous: Duration) -> LeaseInstant {
        anchor + (continuous - anchoredAt)
    }

    /// How many nanoseconds the time is ahead of the continuous clock; nil where that does not say all.
    var offset: Int64? {
        let since = anchoredAt.saturatingNanoseconds
        guard anchor != .distantFuture, anchor != .distantPast, anchoredAt == .nanoseconds(since) else { return nil }
        let (offset, overflow) = anchor.nanosecondsSinceEpoch.subtractingReportingOverflow(since)
        return overflow ? nil : offset
    }

    /// Watches a reading: a new dispute, a suspend, or nothing new.
    public mutating func watch(_ reading: TimeReading) -> ClockNews? {
        let suspended = reading.continuous - reading.suspending
        let slept = suspended - suspendedAtAnchor
        if slept > .seconds(1) {
            suspendedAtAnchor = suspended
            return .suspended(slept)
        }
        guard dispute == nil else { return nil }
        let elapsed = reading.continuous - watchedAt
        let parted = wallWhenWatched.duration(to: reading.wall) - elapsed
        let slewed = elapsed / 2_000
        let left = parted > .zero ? max(.zero, parted - slewed) : min(.zero, parted + slewed)
        guard left > Self.tolerance || left < .zero - Self.tolerance else {
            // Compared from here, with what it has parted by beyond a slew: small steps add up, a slew never does.
            watchedAt = reading.continuous
            wallWhenWatched = reading.wall + (.zero - left)
            return nil
        }
        let found = ClockDispute.wallJumped(by: parted)
        dispute = found
        return .disputed(found)
    }

    /// Ends a dispute: a witness, the operator or the store's own clock says what time it is.
    ///
    /// It may go back.
    public mutating func settle(to time: LeaseInstant, at reading: TimeReading) {
        anchor = time
        anchoredAt = reading.continuous
        watchedAt = reading.continuous
        wallWhenWatched = reading.wall
        suspendedAtAnchor = reading.continuous - reading.suspending
        dispute = nil
    }

    /// Follows an authority that answered a question with its own time.
    ///
    /// Its time now lies between what it said and that plus the round trip. A clock within these bounds is right and stays
    /// as it is, so that no answer sets it back for having been under way; one outside moves to the nearer bound. The first
    /// answer, and the one that ends a dispute, set it to the middle.
    ///
    /// - Parameters:
    ///   - time: What the authority's clock showed when it answered.
    ///   - asked: What the continuous clock showed when it was asked.
    ///   - isFirst: Whether nothing that was known before counts.
    ///   - reading: The clocks when the answer came.
    public mutating func follow(_ time: LeaseInstant, asked: Duration, isFirst: Bool, at reading: TimeReading) {
        let roundTrip = max(.zero, reading.continuous - asked)
        if isFirst || dispute != nil { return settle(to: time + roundTrip / 2, at: reading) }
        settle(to: min(max(now(reading), time), time + roundTrip), at: reading)
    }
}

/// Why the time is in doubt.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ClockDispute: Hashable, Sendable, CustomStringConvertible {
    /// After a new boot, the wall clock is behind the newest time that was observed.
    case wallBehind(by: Duration)
    /// After a new boot, the wall clock is implausibly far ahead of it.
    case wallAhead(by: Duration)
    /// While running, the wall clock parted from elapsed time.
    case wallJumped(by: Duration)

    /// The dispute in words.
    public var description: String {
        switch self {
        case .wallBehind(let gap): "the wall clock is \(gap) behind the newest time observed"
        case .wallAhead(let gap): "the wall clock is \(gap) ahead of the newest time observed"
        case .wallJumped(let gap): "the wall clock jumped by \(gap)"
        }
    }
}

/// What a reading of the clocks brought to light.
#if hasAttribute(nonexhaustive)
    @nonexhaustive
#endif
public enum ClockNews: Hashable, Sendable {
    /// The machine slept.
    case suspended(Duration)
    /// The time is in doubt.
    case disputed(ClockDispute)
}
