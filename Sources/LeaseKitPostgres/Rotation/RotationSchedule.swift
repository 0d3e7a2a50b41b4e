// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// When a password is changed.
public struct RotationSchedule: Hashable, Sendable {
    private enum Value: Hashable {
        case every(Duration)
        case cron(CronSchedule)
    }

    private let value: Value

    /// So long after the last change; a minute at least.
    public static func every(_ period: Duration) -> RotationSchedule {
        RotationSchedule(value: .every(max(period, .seconds(60))))
    }

    /// At the points of a schedule.
    public static func at(_ schedule: CronSchedule) -> RotationSchedule { RotationSchedule(value: .cron(schedule)) }

    /// When the next change is due.
    public func next(after last: LeaseInstant) -> LeaseInstant {
        switch value {
        case .every(let period): last + period
        case .cron(let schedule): schedule.next(after: last)
        }
    }
}
