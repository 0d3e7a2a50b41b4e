// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A parent is ended with everything below it: many children of one session, and a chain of leases.
func measureCascade(_ scale: Scale) async throws -> [Measurement] {
    let (width, depth) = (scale.largest / 10, scale.largest / 100)
    let wide = try await World().running { world in
        let session = try await world.manager.mountSessions(at: "sessions").issue("login").id
        _ = try await world.issue(width, IssueOptions(parent: session))
        return try await seconds(toEnd: session, covering: width + 1, in: world)
    }
    let deep = try await World().running { world in
        let root = try await world.mount.issue(0).id
        var last = root
        for number in 1..<depth { last = try await world.mount.issue(number, IssueOptions(parent: last)).id }
        return try await seconds(toEnd: root, covering: depth, in: world)
    }
    return [
        Measurement("cascade over \(text(of: width)) children", wide, "s"),
        Measurement("cascade over a chain of \(text(of: depth))", deep, "s"),
    ]
}

private func seconds(toEnd root: LeaseID, covering count: Int, in world: World) async throws -> Double {
    let start = ContinuousClock.now
    let report = try await world.manager.revoke(.tree(root), RevokeOptions(wait: .seconds(300)))
    let elapsed = ContinuousClock.now - start
    guard report.isComplete, report.revoked == count else { throw Unexpected(report) }
    return elapsed / .seconds(1)
}

/// What a benchmark measured was not what it meant to measure.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ report: RevocationReport) { description = "the report is not what it should be: \(report)" }
}
