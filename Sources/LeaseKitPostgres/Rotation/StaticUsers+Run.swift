// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension StaticUsers {
    /// Changes what is due, until the task is cancelled.
    ///
    /// One that fails is tried again after a while: first after ten seconds, in the end every ten minutes. The others go on.
    public func run() async throws {
        for name in names {
            do { try await takeUp(name) } catch let error as CancellationError {
                throw error
            } catch {
                postpone(name)
            }
        }
        while true {
            for name in dueNames(at: time.read().wall) {
                do { try await rotateIfDue(name) } catch let error as CancellationError {
                    throw error
                } catch {
                    postpone(name)
                }
                try Task.checkCancellation()
            }
            // The wall clock may be set: so it is looked at once a minute at least.
            let now = time.read()
            let wait = min(.seconds(60), max(.milliseconds(1), now.wall.duration(to: nextDue)))
            try await time.sleep(until: now.continuous + wait)
        }
    }

    /// When a user's next try is due.
    private static func due(_ entry: Entry) -> LeaseInstant {
        let due = entry.current.map { entry.user.schedule.next(after: $0.madeAt) } ?? .distantPast
        // One whose change was cut off does not wait for its time.
        let began = entry.alternative == nil ? due : .distantPast
        return max(began, entry.notBefore ?? .distantPast)
    }

    private var nextDue: LeaseInstant { entries.withLock { $0.values.map(Self.due).min() ?? .distantFuture } }

    private func dueNames(at now: LeaseInstant) -> [String] {
        entries.withLock { entries in entries.filter { Self.due($0.value) <= now }.keys.sorted() }
    }

    func isDue(_ name: String) -> Bool {
        let now = time.read().wall
        return entries.withLock { $0[name].map { Self.due($0) <= now } ?? false }
    }

    private func postpone(_ name: String) {
        let now = time.read().wall
        entries.withLock { entries in
            let failures = entries[name]?.failures ?? 0
            entries[name]?.failures = failures + 1
            entries[name]?.notBefore = now + min(.seconds(600), .seconds(10) * (1 << min(failures, 6)))
        }
    }
}
