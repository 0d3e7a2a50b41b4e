// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

/// Every mistake has a code of its own, and a sentence that says what to do.
@Suite struct BadInputTests {
    struct PathRow: CustomTestStringConvertible {
        let path: String
        let word: String
        var testDescription: String { word }
    }

    static let paths = [
        PathRow(path: "", word: "give it at least one segment"),
        PathRow(path: "/database", word: "remove leading, trailing and doubled slashes"),
        PathRow(path: "database/", word: "remove leading"),
        PathRow(path: "a//b", word: "empty segment"),
        PathRow(path: "a/../b", word: "has a \"..\" segment; write the path out"),
        PathRow(path: "./a", word: "has a \".\" segment"),
        PathRow(path: "a\nb", word: "control character 0xa; remove it"),
        PathRow(path: "a\u{7F}", word: "control character 0x7f"),
        PathRow(path: "a\0", word: "control character 0x0"),
        PathRow(path: String(repeating: "x", count: 513), word: "513 bytes long; keep it within 512"),
    ]

    @Test(arguments: paths)
    func aMalformedPathIsNoPlaceForAMount(_ row: PathRow) throws {
        try ManagerFixture.run { fixture in
            let error = await expectRefusal(.invalidPath, row.word) {
                try await fixture.manager.mount(OddBackend(), at: row.path)
            }
            #expect(error?.message.contains("\n") == false)
            #expect((error?.message.utf8.count ?? 0) < 200)
        }
    }

    @Test(arguments: paths.dropFirst())
    func aMalformedPathIsNoRole(_ row: PathRow) throws {
        try ManagerFixture.run { fixture in
            let mount = try await fixture.manager.mount(OddBackend(), at: "odd")
            await expectRefusal(.invalidPath) { try await mount.issue(row.path) }
            try await fixture.expectNoLeases()
        }
    }

    @Test(arguments: paths.dropFirst())
    func aMalformedPathIsNoPrefixToRevoke(_ row: PathRow) throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.invalidPath, row.word) { try await fixture.manager.revoke(.prefix(row.path)) }
        }
    }

    @Test func anUnknownRole() throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.unknownRole, "creds/nobody", "add it") { try await fixture.mount.issue("nobody") }
        }
    }

    @Test func anUnknownMount() throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.unknownMount, "\"cloud\"", "mount a backend there first") {
                try fixture.manager.health(ofMountAt: "cloud")
            }
            await expectRefusal(.unknownMount) { try await fixture.manager.unmount(at: "cloud") }
            await expectRefusal(.unknownMount) { try await fixture.manager.rearm(mountAt: "cloud") }
            await expectRefusal(.unknownMount) { try await fixture.manager.adoptTarget(at: "cloud") }
            await expectRefusal(.unknownMount) { try await fixture.manager.sweepOrphans(ofMountAt: "cloud") }
        }
    }

    @Test(arguments: ["database", "database/inner", "database/creds/app"])
    func aPlaceThatIsTaken(path: String) throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.duplicateMount, "\"database\" is mounted already", "not the same, above or below") {
                try await fixture.manager.mount(OddBackend(), at: path)
            }
        }
    }

    @Test func aPlaceAboveAMount() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.manager.mount(OddBackend(), at: "cloud/one")
            await expectRefusal(.duplicateMount, "\"cloud/one\"") {
                try await fixture.manager.mount(OddBackend(), at: "cloud")
            }
            _ = try await fixture.manager.mount(OddBackend(), at: "cloud/oneself")
        }
    }

    @Test func aParentThatIsGone() throws {
        try ManagerFixture.run { fixture in
            let parent = try await fixture.mount.issue("app")
            try await fixture.mount.revoke(parent.id)
            for unbound in [false, true] {
                let options = IssueOptions(parent: parent.id, outlivesParentTTL: unbound)
                let error = await expectRefusal(.parentNotActive, "issue a new") {
                    try await fixture.mount.issue("app", options)
                }
                #expect(error?.lease == parent.id)
            }
        }
    }

    @Test(arguments: [0, -1, -3_600])
    func anIncrementBeyondBounds(seconds: Int) throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            let words = "ask for more than zero, or leave it nil"
            await expectRefusal(.invalidRequest, words) {
                try await fixture.mount.renew(lease.id, RenewOptions(increment: .seconds(seconds)))
            }
            await expectRefusal(.invalidRequest, words) {
                try await fixture.mount.issue("app", IssueOptions(ttl: .seconds(seconds)))
            }
            await expectRefusal(.invalidRequest, words) {
                try await fixture.mount.issue("app", IssueOptions(explicitMaximum: .seconds(seconds)))
            }
            await expectRefusal(.invalidRequest, words) {
                try await fixture.mount.issue("app", IssueOptions(period: .seconds(seconds)))
            }
        }
    }

    @Test func aCursorFromElsewhere() throws {
        try ManagerFixture.run { fixture in
            for _ in 0..<3 { _ = try await fixture.mount.issue("app") }
            let cursor = try await fixture.manager.page(limit: 1).next
            let other = LeaseQuery(prefix: "database/creds")
            let cursors = [cursor, LeaseCursor(text: "garbage"), LeaseCursor(text: ""), LeaseCursor(text: "a.b")]
            for strange in cursors {
                await expectRefusal(.invalidCursor, "start again without a cursor") {
                    try await fixture.manager.page(other, after: strange)
                }
            }
        }
    }

    @Test(arguments: [0, -1, 1_001, .max])
    func aPageSizeOutOfRange(limit: Int) throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.invalidRequest, "ask for 1 to 1000 at a time") {
                try await fixture.manager.page(limit: limit)
            }
        }
    }

    @Test func limitsThatContradictEachOther() throws {
        try ManagerFixture.run { fixture in
            var settings = MountSettings(limits: TTLLimits(ttl: .seconds(7_200), maximum: .seconds(3_600)))
            await expectRefusal(.invalidLimits, "limits of mount \"odd\"", "lower it to 1h or raise") {
                try await fixture.manager.mount(OddBackend(), at: "odd", settings)
            }
            settings.limits = TTLLimits(maximum: .seconds(-1))
            await expectRefusal(.invalidLimits, "not greater than zero") { try fixture.mount.change(settings) }
            // A role's limits are known when it is used.
            fixture.backend.setRole("bad", InMemoryRole(limits: TTLLimits(ttl: .zero)))
            await expectRefusal(.invalidLimits, "not greater than zero; set a longer one") {
                try await fixture.mount.issue("bad")
            }
            try await fixture.expectNoLeases()
        }
    }

    @Test func moreUsesThanNone() throws {
        try ManagerFixture.run { fixture in
            await expectRefusal(.invalidRequest, "uses is 0", "at least one, or nil") {
                try await fixture.mount.issue("app", IssueOptions(uses: 0))
            }
        }
    }

    @Test func labelsThatAreTooLong() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue(
                "app",
                IssueOptions(labels: ["team": String(repeating: "x", count: 508)])
            )
            await expectRefusal(.invalidRequest, "513 bytes", "within 512") {
                try await fixture.mount.issue(
                    "app",
                    IssueOptions(labels: ["team": String(repeating: "x", count: 509)])
                )
            }
        }
    }

    @Test(arguments: ["requestID", "owner", "actor"])
    func aNameThatIsEmptyOrTooLong(field: String) throws {
        try ManagerFixture.run { fixture in
            for text in ["", String(repeating: "é", count: 129)] {
                var options = IssueOptions()
                switch field {
                case "requestID": options.requestID = text
                case "owner": options.owner = text
                default: options.actor = text
                }
                let bytes = text.utf8.count
                await expectRefusal(.invalidRequest, "\(field) has \(bytes) bytes", "1 to 256, or nil") {
                    try await fixture.mount.issue("app", options)
                }
            }
        }
    }

    @Test func aSealedPayloadThatIsTooLarge() throws {
        try ManagerFixture.run { fixture in
            let options = IssueOptions(sealedPayload: Array(repeating: 0, count: 65_537))
            await expectRefusal(.invalidRequest, "larger than 65536 bytes") {
                try await fixture.mount.issue("app", options)
            }
        }
    }

    @Test func runningTwice() throws {
        try ManagerFixture.run { fixture in
            _ = try await fixture.mount.issue("app")
            await expectRefusal(.alreadyRunning, "call it once") { try await fixture.manager.run() }
            try await fixture.expectIssue()
        }
    }

    @Test func runningAgainAfterTheEnd() throws {
        try ManagerWorld.run { world in
            let stopped = Locked<LeaseManager?>(nil)
            try await world.run { fixture in stopped.withLock { $0 = fixture.manager } }
            let manager = try #require(stopped.withLock { $0 })
            await expectRefusal(.managerStopped, "make a new one on the same store") { try await manager.run() }
        }
    }

    @Test func anOrderIDThatStandsForSomethingElse() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            let order = RevocationOrderID(rawValue: 77)
            try await fixture.manager.revoke(.prefix("elsewhere"), RevokeOptions(orderID: order))
            await expectRefusal(.invalidRequest, "use a new order id", "every lease under elsewhere") {
                try await fixture.manager.revoke(.lease(lease.id), RevokeOptions(orderID: order))
            }
            #expect(fixture.target.check(lease.secret))
        }
    }

    @Test func anOrderThatNobodyPlaced() throws {
        try ManagerFixture.run { fixture in
            let order = RevocationOrderID(rawValue: 77)
            await expectRefusal(.orderNotFound, "kept for a while") { try await fixture.manager.report(of: order) }
            await expectRefusal(.orderNotFound) { try await fixture.manager.waitForReport(of: order) }
            let wasClosing = try await fixture.manager.reopen(order)
            #expect(!wasClosing)
        }
    }

    @Test func aLeaseThatNeverWas() throws {
        try ManagerFixture.run { fixture in
            let id = LeaseID(high: 1, low: 2)
            let manager = fixture.manager
            await expectRefusal(.leaseNotFound, "\(id)", "issue a new one") { try await manager.renew(id) }
            await expectRefusal(.leaseNotFound) { try await manager.detach(id) }
            await expectRefusal(.leaseNotFound) { try await manager.consumeUse(of: id) }
            await expectRefusal(.leaseNotFound) { try await manager.abandon(id) }
            #expect(try await manager.lease(id) == nil)
            let report = try await manager.revoke(.lease(id))
            #expect(report.isComplete)
            #expect(report.covered == 0)
            #expect(report.description == "order \(report.order): nothing to revoke")
        }
    }
}
