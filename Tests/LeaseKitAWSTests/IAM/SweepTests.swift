// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

/// A sweep over an account in which there are many others.
@Suite struct SweepTests {
    /// A user as a process would have made it that was lost together with its store.
    private static func orphan(_ mark: LeaseMark, _ world: World, key: String) -> (name: String, user: FakeAccount.User)
    {
        var tags: [String: String] = [:]
        for tag in LeaseTags.tags(mark) { tags[tag.key] = tag.value }
        let user = FakeAccount.User(
            path: LeaseTags.path(mark, "/"),
            tags: tags,
            madeAt: world.aws.now,
            boundary: nil,
            keys: [key: "s"],
            inline: [DeadMan.name: "{}", DeadMan.roleName: World.document],
            groups: mark.lease.low % 2 == 0 ? ["readers"] : []
        )
        return ("leasekit-app-\(mark.lease)", user)
    }

    @Test func aThousandOrphansGoAndNobodyElse() throws {
        let world = World(pageSize: 100)
        let backend = try world.users()
        try world.drive {
            let manager = LeaseManager(
                store: InMemoryLeaseStore(deployment: "ours", simulatedDurability: true),
                configuration: .init(entropy: .seeded(4), executor: world.executor),
                time: world.time
            )
            let run = Task(executorPreference: world.executor) { try await manager.run() }
            let mount = try await manager.mount(backend, at: "aws")
            let live = try await mount.issue("full", IssueOptions(ttl: .seconds(3_600)))
            let (liveName, made) = try #require(world.aws.users.first)
            let epoch = try #require(LeaseTags.mark(ofUser: liveName, at: made.path, of: "ours")).epoch
            world.aws.change { account in
                for number in 0..<1_000 as Range<UInt64> {
                    let mark = LeaseMark(deployment: "ours", lease: LeaseID(high: 1, low: number), epoch: epoch)
                    let (name, user) = Self.orphan(mark, world, key: "AKIAORPHAN\(number)")
                    account.users[name] = user
                }
                for number in 0..<2_000 as Range<UInt64> {
                    let theirs = LeaseMark(deployment: "theirs", lease: LeaseID(high: 2, low: number), epoch: epoch)
                    let (name, user) = Self.orphan(theirs, world, key: "AKIATHEIRS\(number)")
                    account.users[name] = user
                }
                // Our path and a name like ours, and tags that are not: somebody's joke, or somebody's mistake.
                let mark = LeaseMark(deployment: "ours", lease: LeaseID(high: 3, low: 1), epoch: epoch)
                account.users["leasekit-app-\(mark.lease)"] = FakeAccount.User(
                    path: LeaseTags.path(mark, "/"),
                    tags: ["team": "others"],
                    madeAt: world.aws.now,
                    boundary: nil
                )
                account.users["by-hand"] = FakeAccount.User(
                    path: "/leasekit/ours/1/",
                    tags: [:],
                    madeAt: world.aws.now,
                    boundary: nil
                )
            }
            let strangers = world.aws.users.keys.filter {
                !$0.hasPrefix("leasekit-app-\(LeaseID(high: 1, low: 0).text.prefix(13))")
            }
            // Too young to be judged.
            #expect(try await manager.sweepOrphans(ofMountAt: "aws").orphans == 0)
            await world.time.advance(by: .seconds(1_800))
            world.aws.forgetCalls()
            let seen = try await manager.sweepOrphans(ofMountAt: "aws", SweepOptions(isDryRun: true))
            #expect(seen.orphans == 1_001 && seen.ended == 0 && seen.known == 1)
            #expect(world.aws.calls.count { $0 == "ListUsers" } >= 10 && !world.aws.calls.contains("DeleteUser"))
            let report = try await manager.sweepOrphans(ofMountAt: "aws")
            #expect(report.ended == 1_000 && report.notOurs == 1 && report.failed == 0, "\(report)")
            #expect(world.aws.users.keys.sorted() == strangers.sorted())
            #expect(world.aws.isUsable(live.secret.accessKeyID) && world.aws.isUsable("AKIATHEIRS5"))
            run.cancel()
            _ = await run.result
        }
    }
}
