// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What time it is at the server, as far as one sample tells: between two bounds, by the time the answer took.
///
/// Deadlines are told to the server by its own clock. It would make something late by the difference otherwise.
struct ServerClock: Hashable, Sendable {
    /// What the server said.
    private let sample: LeaseInstant
    /// The continuous clock here when it was asked, and when its answer was there.
    private let sent: Duration
    private let received: Duration

    init(microseconds: Int64, sent: Duration, received: Duration) {
        sample = LeaseInstant(nanosecondsSinceEpoch: microseconds.multipliedReportingOverflow(by: 1_000).partialValue)
        self.sent = sent
        self.received = received
    }

    /// The earliest that it can be.
    func earliest(at continuous: Duration) -> LeaseInstant { sample + (continuous - received) }
    /// The latest that it can be.
    func latest(at continuous: Duration) -> LeaseInstant { sample + (continuous - sent) }

    /// The statement's column that answers with the server's clock.
    static let column = "(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint::text"
}

/// One call's times, by the clocks that they are needed on.
struct CallTimes: Sendable {
    let call: BackendCall
    /// The continuous clock when the call was made.
    let madeAt: Duration

    /// Reads a call that has just arrived; it may have waited for its turn on the way here.
    init(_ call: BackendCall, at reading: TimeReading) {
        self.call = call
        let waited = min(max(.zero, call.now.duration(to: reading.wall)), max(call.timeout, .zero))
        madeAt = reading.continuous - waited
    }

    /// When the caller stops waiting, by the continuous clock.
    var deadline: Duration { madeAt + call.timeout }

    /// How much of its time is left.
    func left(at continuous: Duration) -> Duration { max(.zero, deadline - continuous) }

    /// When the caller stops waiting, by the server's clock: rather too early than too late.
    func deadline(on clock: ServerClock) -> LeaseInstant { clock.earliest(at: deadline) }

    /// When the lease ends, by the server's clock: rather too late than too early.
    func end(on clock: ServerClock) -> LeaseInstant {
        call.expiresAt == .distantFuture ? .distantFuture : clock.latest(at: madeAt + call.timeLeft)
    }
}

extension LeaseInstant {
    /// The instant as PostgreSQL reads it, whatever its settings are.
    var sqlText: String { self == .distantFuture ? "infinity" : self == .distantPast ? "-infinity" : description }
}
