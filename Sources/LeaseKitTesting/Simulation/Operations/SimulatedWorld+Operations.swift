// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Which operation comes next.
extension SimulatedWorld {
    func operate() async {
        counts.add("operations")
        let roll = random.index(below: 1_000)
        switch roll {
        case ..<300: await issue()
        case ..<400: renew()
        case ..<480: revoke()
        case ..<520: revokeMany()
        case ..<550: issueSession()
        case ..<570: consume()
        case ..<585: detach()
        case ..<595: abandon()
        case ..<610: rearm()
        case ..<625: sweep()
        case ..<640: holdOff()
        case ..<655: reopen()
        case ..<670: changeSettings()
        case ..<685: look()
        case ..<760: troubleTarget()
        case ..<800: healTarget()
        case ..<825: troubleStore()
        case ..<850: healStore()
        case ..<875: crash()
        case ..<940: await restart()
        case ..<955: pauseOrResume()
        case ..<965: await troubleClock()
        case ..<975: remount()
        case ..<985: adopt()
        case ..<992: stopOrderly()
        default: await restoreBackup()
        }
    }

    /// Starts something that a caller of a process does; cancels it after a while, sometimes.
    func call(
        _ what: String,
        on process: SimulatedProcess,
        cancelAfter: Duration? = nil,
        _ body: @escaping @Sendable () async throws -> Void
    ) {
        note("\(what) on \(process.name)\(cancelAfter.map { ", cancelled after \($0)" } ?? "")")
        counts.add("call.\(what.prefix { $0 != " " })")
        callNumber += 1
        let number = callNumber
        running[number] = (what, process)
        pending.append { [self] in
            defer { running[number] = nil }
            do {
                guard let cancelAfter else { return try await body() }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await body() }
                    group.addTask { [time] in
                        try await time.sleep(for: cancelAfter)
                        throw CancellationError()
                    }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            } catch {
                // What a run that failed cuts off says nothing.
                if process.life.isDead || executor.isFailing { return }
                counts.add("failed.\((error as? LeaseError)?.code.description ?? "\(type(of: error))")")
                note("\(what): \(error)")
                checker.checkText("\(error)", "an error")
                if error is CancellationError && cancelAfter == nil {
                    checker.violate(0, nil, "\(what) was answered as cancelled, and nobody cancelled it")
                }
            }
        }
    }

    func someCancellation() -> Duration? { random.chance(0.08) ? random.duration(upTo: .seconds(3)) : nil }
}
