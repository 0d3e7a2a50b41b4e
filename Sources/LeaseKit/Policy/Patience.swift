// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How long parents wait for their children.
///
/// Pure. A parent is looked at again and again until its last child has left, until none of them makes progress, or until its
/// patience is over: soon at first, seldom later.
struct Patience: Sendable {
    /// How soon a parent is looked at for the first time.
    static let firstLook = Duration.seconds(1)
    private static let longestPause = Duration.seconds(5)

    /// When the order was placed that ends the parent.
    let placedAt: LeaseInstant
    /// How long it lets parents wait.
    let length: Duration

    /// When to look at a parent again that its children hold back; nil when it has waited long enough.
    func nextLook(at now: LeaseInstant) -> LeaseInstant? {
        let end = placedAt + length
        guard now < end else { return nil }
        let pause = max(Self.firstLook, min(placedAt.duration(to: now) / 2, Self.longestPause))
        return min(now + pause, end)
    }
}
