// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@Suite struct LimitTests {
    struct Row: CustomTestStringConvertible {
        let scope: String
        let quotas: LeaseQuotas
        var testDescription: String { scope }
    }

    static let quotas = [
        Row(scope: "mount", quotas: LeaseQuotas(perMount: 3)),
        Row(scope: "path", quotas: LeaseQuotas(perPath: 2)),
        Row(scope: "parent", quotas: LeaseQuotas(perParent: 2)),
        Row(scope: "owner", quotas: LeaseQuotas(perOwner: 2)),
    ]

    @Test(arguments: quotas)
    func aQuotaIsKeptBeforeTheBackendIsCalledAndFreedByARevocation(_ row: Row) throws {
        try ManagerFixture.run({ $0.settings.quotas = row.quotas }) { fixture in
            let parent = try await fixture.mount.issue("short")
            let options = IssueOptions(parent: parent.id, owner: "billing")
            let first = try await fixture.mount.issue("app", options)
            _ = try await fixture.mount.issue("app", options)
            let limit = row.scope == "mount" ? 3 : 2
            let error = await expectRefusal(.quotaExceeded, "quota of this \(row.scope)", "raise the quota") {
                try await fixture.mount.issue("app", options)
            }
            #expect(error?.message.hasPrefix("\(limit) leases are live already") == true)
            #expect(error?.isRetryable == true)
            #expect(fixture.target.arrivals(of: .issue) == 3)
            try await fixture.mount.revoke(first.id)
            try await fixture.expectIssue(options)
        }
    }

    @Test func whatIsStuckStillCounts() throws {
        try ManagerFixture.run({ $0.settings.quotas.perMount = 1 }) { fixture in
            let lease = try await fixture.mount.issue("app")
            fixture.target.script(.revoke, .failBefore(.denied))
            _ = try await fixture.mount.revoke(lease.id)
            await expectRefusal(.quotaExceeded) { try await fixture.mount.issue("app") }
        }
    }

    @Test func aQuotaOfZeroClosesAMount() throws {
        try ManagerFixture.run { fixture in
            try fixture.mount.change(MountSettings(quotas: LeaseQuotas(perMount: 0)))
            await expectRefusal(.quotaExceeded, "0 leases are live already") { try await fixture.mount.issue("app") }
        }
    }

    @Test func noMoreCallsRunAtOnceThanTheConcurrencyAllows() throws {
        try ManagerFixture.run({ $0.settings.concurrency = 3 }) { fixture in
            for _ in 0..<12 { fixture.target.script(.issue, .delay(.seconds(1))) }
            let start = fixture.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<12 { group.addTask { _ = try await fixture.mount.issue("app") } }
                try await fixture.wait(.milliseconds(500))
                let health = try fixture.manager.health(ofMountAt: "database")
                #expect(health.runningCalls == 3)
                #expect(fixture.target.arrivals(of: .issue) == 3)
                try await group.waitForAll()
            }
            #expect(fixture.now == start + .seconds(4))
            #expect(try fixture.manager.health(ofMountAt: "database").runningCalls == 0)
        }
    }

    @Test func whoWouldWaitBehindTooManyIsTurnedAway() throws {
        try ManagerFixture.run({
            $0.settings.concurrency = 1
            $0.settings.waitingLimit = 2
        }) { fixture in
            fixture.target.script(.issue, .delay(.seconds(1)), .delay(.seconds(1)), .delay(.seconds(1)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { _ = try await fixture.mount.issue("app") } }
                try await fixture.wait(.milliseconds(500))
                let error = await expectRefusal(.overloaded, "2 calls wait for mount \"database\"", "concurrency") {
                    try await fixture.mount.issue("app")
                }
                #expect(error?.isRetryable == true)
                try await group.waitForAll()
            }
            try await fixture.expectIssue()
        }
    }

    @Test func whoWaitsTooLongForAPlaceIsTold() throws {
        try ManagerFixture.run({
            $0.settings.concurrency = 1
            $0.settings.issueTimeout = .seconds(5)
        }) { fixture in
            fixture.target.script(.issue, .delay(.seconds(4)), .delay(.seconds(4)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await fixture.mount.issue("app") }
                try await fixture.wait(.milliseconds(100))
                group.addTask { _ = try await fixture.mount.issue("app") }
                try await fixture.wait(.milliseconds(100))
                group.addTask {
                    await expectRefusal(.overloaded, "no place became free", "its target is slow") {
                        try await fixture.mount.issue("app")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aCancelledWaiterGivesItsTurnToTheNext() throws {
        try ManagerFixture.run({ $0.settings.concurrency = 1 }) { fixture in
            fixture.target.script(.issue, .delay(.seconds(2)))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await fixture.mount.issue("app") }
                try await fixture.wait(.seconds(1))
                try await withThrowingTaskGroup(of: Void.self) { impatient in
                    impatient.addTask {
                        await #expect(throws: CancellationError.self) { _ = try await fixture.mount.issue("app") }
                    }
                    group.addTask { _ = try await fixture.mount.issue("app") }
                    impatient.cancelAll()
                    try await impatient.waitForAll()
                }
                try await group.waitForAll()
            }
            #expect(fixture.target.liveCredentials.count == 2)
            #expect(fixture.now == LeaseInstant(secondsSinceEpoch: 1_767_225_602))
        }
    }

    @Test func theRateLimitSpreadsCallsOfAllKinds() throws {
        try ManagerFixture.run({ $0.settings.rate = RateLimit(callsPerSecond: 2, burst: 2) }) { fixture in
            let start = fixture.now
            for _ in 0..<6 { _ = try await fixture.mount.issue("app") }
            #expect(start.duration(to: fixture.now) == .seconds(2))
            let report = try await fixture.manager.revoke(.prefix("database"))
            #expect(report.revoked == 6)
            #expect(start.duration(to: fixture.now) >= .seconds(4))
        }
    }

    @Test func aRateThatLeavesNoRoomInTimeSaysSo() throws {
        try ManagerFixture.run({ $0.settings.rate = RateLimit(callsPerSecond: 0.01) }) { fixture in
            _ = try await fixture.mount.issue("app")
            let error = await expectRefusal(.overloaded, "rate limit of mount \"database\"", "raise the limit") {
                try await fixture.mount.issue("app")
            }
            #expect(error?.retryAfter == .seconds(100))
        }
    }

    @Test func aHungRevocationHoldsItsOwnPlaceAndNobodyElses() throws {
        try ManagerFixture.run({ $0.settings.revocationConcurrency = 2 }) { fixture in
            for _ in 0..<10 { _ = try await fixture.mount.issue("short") }
            fixture.target.script(.revoke, .hang)
            try await fixture.wait(.seconds(65))
            #expect(fixture.target.liveCredentials.count <= 2)
            try await fixture.expectIssue()
            fixture.target.releaseHanging()
            try await fixture.wait(.seconds(120))
            #expect(fixture.target.liveCredentials.count == 1)
        }
    }
}
