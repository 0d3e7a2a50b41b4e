// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKitTesting
import Testing

@testable import LeaseKit

@Suite struct OrderBoardTests {
    private static func order(_ number: UInt64, actor: String = "ops") -> RevocationOrder {
        RevocationOrder(
            id: RevocationOrderID(rawValue: number),
            selection: .prefix(""),
            cause: LeaseCause(.requested, actor: actor),
            placedAt: LeaseInstant(nanosecondsSinceEpoch: 0)
        )
    }

    @Test func whoWaitsNoMoreIsForgotten() {
        let board = OrderBoard()
        let (first, second) = (board.wait(for: Self.order(1).id), board.wait(for: Self.order(1).id))
        #expect(board.isWaiting(first, for: Self.order(1).id))
        board.stopWaiting(first, for: Self.order(1).id)
        #expect(!board.isWaiting(first, for: Self.order(1).id))
        #expect(board.isWaiting(second, for: Self.order(1).id))
        #expect(board.awaited == [Self.order(1).id])
        board.stopWaiting(second, for: Self.order(1).id)
        #expect(board.awaited.isEmpty)
        #expect(!board.isWatching)
    }

    @Test func followedAreThoseNotFinishedAndThoseWaitedFor() {
        let board = OrderBoard()
        board.follow(Self.order(3))
        _ = board.wait(for: Self.order(1).id)
        _ = board.wait(for: Self.order(3).id)
        #expect(board.followed == [Self.order(1).id, Self.order(3).id])
        #expect(board.unexpanded.map(\.cause) == [LeaseCause(.requested, actor: "ops")])
        #expect(board.finish(Self.order(3).id))
        #expect(!board.finish(Self.order(3).id))
    }

    @Test func waitersThatGaveUpAreNotKept() throws {
        try ManagerFixture.run { fixture in
            let lease = try await fixture.mount.issue("app")
            for _ in 0..<20 { fixture.target.script(.revoke, .failBefore(.transient)) }
            let options = RevokeOptions(wait: .milliseconds(100))
            let report = try await fixture.mount.revoke(lease.id, options)
            for _ in 0..<5 {
                _ = try await fixture.manager.waitForReport(of: report.order, atMost: .milliseconds(100))
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await fixture.manager.waitForReport(of: report.order) }
                try? await fixture.wait(.milliseconds(100))
                #expect(fixture.manager.orders.awaited == [report.order])
                group.cancelAll()
            }
            #expect(fixture.manager.orders.awaited.isEmpty)
        }
    }
}
