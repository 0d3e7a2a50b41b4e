// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A policy of a role that denies everything to sessions which are to be over before their time.
///
/// It names them one by one. When there are many, spans of time take their place: within a span, every session that this
/// process has made is to be over, so that denying them all by the time of their making hits no other one. A span holds for
/// sessions with this process's own name in theirs; what others make of the same role is never hit.
///
/// All times are whole seconds by AWS's clock. Pure.
struct DenialPolicy: Sendable, Hashable {
    /// A session that is to be over.
    struct Session: Hashable, Sendable {
        let lease: LeaseID
        /// When it was made; nil where that is not known, as of another process's.
        let issuedAt: Int64?
        /// When it ends by itself.
        let endsAt: Int64

        /// When there is nothing left to deny: clocks and services may be a few minutes apart.
        var lapsesAt: Int64 { endsAt + 300 }
    }

    /// What must not be hit.
    struct Spared: Sendable {
        /// When sessions were made that are to go on, in order.
        var times: [Int64] = []
        /// Since when a session may have been made whose time is not known yet.
        var since = Int64.max

        func isNone(from first: Int64, to last: Int64) -> Bool {
            var (low, high) = (0, times.count)
            while low < high {
                let middle = (low + high) / 2
                if times[middle] < first { low = middle + 1 } else { high = middle }
            }
            return last < since && (low == times.count || times[low] > last)
        }
    }

    /// The sessions made from `first` to `last`.
    struct Span: Hashable, Sendable {
        let first: Int64
        let last: Int64
        let lapsesAt: Int64
    }

    /// What the policies of a role may have together.
    static let mostBytes = 10_240
    /// From this length on spans take the place of names.
    static let compactedAbove = 4_096
    /// A span is as long as the names of so many sessions.
    static let leastOfSpan = 10
    /// How far the time that is known of a session and the one that AWS goes by may be apart.
    static let blur: Int64 = 2

    private(set) var names: [Session]
    private(set) var spans: [Span] = []

    /// The sessions by their names.
    init(naming sessions: [Session]) {
        names = sessions.sorted { ($0.lapsesAt, $0.lease) < ($1.lapsesAt, $1.lease) }
    }

    /// The same, with spans where these are shorter.
    func compacted(_ spared: Spared) -> DenialPolicy {
        var copy = DenialPolicy(naming: names.filter { $0.issuedAt == nil })
        let timed = names.compactMap { session in session.issuedAt.map { (session: session, time: $0) } }
        var run: [Session] = []
        var (first, last) = (Int64(0), Int64(0))
        func close() {
            if run.count >= Self.leastOfSpan {
                copy.spans.append(Span(first: first, last: last, lapsesAt: run.map(\.lapsesAt).max() ?? last))
            } else {
                copy.names += run
            }
            run = []
        }
        // One blur for the session of the span, one for the session that is spared, one for the edge.
        let distance = 2 * Self.blur + 1
        for (session, time) in timed.sorted(by: { $0.time < $1.time }) {
            if run.isEmpty || !spared.isNone(from: last - distance, to: time + distance) {
                close()
                first = time
            }
            last = time
            if spared.isNone(from: time - distance, to: time + distance) {
                run.append(session)
            } else {
                copy.names.append(session)
            }
        }
        close()
        copy.names = DenialPolicy(naming: copy.names).names
        return copy
    }

    /// Whether spans should take the place of names: each name has a lease's 26 characters and five more.
    var isLong: Bool { names.count * 31 > Self.compactedAbove }

    /// When the last of it has lapsed; nil when it denies nothing.
    var lapsesAt: Int64? {
        let times = names.map { Self.hour(after: $0.lapsesAt) } + spans.map { Self.hour(after: $0.lapsesAt) }
        return times.max()
    }

    /// The policy as AWS takes it; `process` is what every session of this process has in its name.
    func text(_ process: String) -> String {
        var statements: [String] = []
        var rest = names[...]
        while let first = rest.first {
            // By the hour in which they lapse, so that who finds the policy later knows when it is over.
            let hour = Self.hour(after: first.lapsesAt)
            let same = rest.prefix { Self.hour(after: $0.lapsesAt) == hour }
            let list = same.map { #""*-\#($0.lease.text)""# }.joined(separator: ",")
            statements.append(Self.statement("until\(hour)", #""StringLike":{"aws:userid":[\#(list)]}"#))
            rest = rest.dropFirst(same.count)
        }
        for (number, span) in spans.enumerated() {
            let (from, to) = (Self.date(span.first - Self.blur), Self.date(span.last + Self.blur + 1))
            let condition =
                #""DateGreaterThanEquals":{"aws:TokenIssueTime":"\#(from)"},"#
                + #""DateLessThan":{"aws:TokenIssueTime":"\#(to)"},"StringLike":{"aws:userid":"*:\#(process)-*"}"#
            statements.append(Self.statement("until\(Self.hour(after: span.lapsesAt))n\(number)", condition))
        }
        return #"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#
    }

    private static func statement(_ name: String, _ condition: String) -> String {
        #"{"Sid":"\#(name)","Effect":"Deny","Action":"*","Resource":"*","Condition":{\#(condition)}}"#
    }

    private static func hour(after time: Int64) -> Int64 { (time + 3_599) / 3_600 * 3_600 }
    private static func date(_ time: Int64) -> String { "\(LeaseInstant(secondsSinceEpoch: time))" }

    /// When a policy that was found has lapsed, by the names of its statements; nil for one that is none of these.
    static func lapse(of document: PolicyDocument) -> Int64? {
        var latest: Int64?
        for name in document.statementNames {
            guard let name, name.hasPrefix("until"), let time = Int64(name.dropFirst(5).prefix { $0 != "n" }) else {
                return nil
            }
            latest = max(latest ?? time, time)
        }
        return latest
    }
}
