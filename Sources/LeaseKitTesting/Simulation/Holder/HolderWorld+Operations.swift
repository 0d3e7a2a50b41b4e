// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What happens in a holder's world.
extension HolderWorld {
    func operate(_ group: inout DiscardingTaskGroup) async {
        let number = random.index(below: credentials.count)
        switch random.index(below: 100) {
        case ..<34:
            let length = random.duration(upTo: .seconds(random.chance(0.8) ? 20 : 600))
            let need = random.chance(0.3) ? random.duration(upTo: .seconds(120)) : .zero
            group.addTask { await self.use(number, for: length, validFor: need) }
        case ..<46:
            let length = random.duration(upTo: .seconds(900))
            let cancelAfter = random.chance(0.3) ? random.duration(upTo: .seconds(300)) : nil
            let link = random.index(below: links.count)
            group.addTask { await self.scope(through: link, length, cancelAfter) }
        case ..<51:
            let children = 1 + random.index(below: 4)
            let length = random.duration(upTo: .seconds(60))
            group.addTask { await self.tree(of: children, for: length) }
        case ..<68: disturb(number, &group)
        case ..<96: breakOrMend()
        default: await sleepOrStarve()
        }
    }

    /// Somebody does something to a credential that is held.
    private func disturb(_ number: Int, _ group: inout DiscardingTaskGroup) {
        let credential = credentials[number]
        guard let current = credential.current else { return }
        switch random.index(below: 17) {
        case ..<6:
            count("rejected")
            audit.rejected.insert(current.lease)
            credential.rejected(current.generation)
        case ..<11:
            count("revoked by others")
            changedAt[current.lease] = now
            group.addTask { await self.revoke(.lease(current.lease)) }
        case ..<14:
            count("shortened by others")
            changedAt[current.lease] = now
            let end = random.duration(upTo: .seconds(60))
            let options = RenewOptions(increment: .seconds(1) + end, mayShorten: true)
            group.addTask { _ = try? await self.manager.renew(current.lease, options) }
        default:
            count("dropped")
            droppedAt[current.lease] = now
            target.drop(current.secret.username)
        }
    }

    private func breakOrMend() {
        let link = links[random.index(below: links.count)]
        let kind = TargetPartition.allCases[random.index(below: TargetPartition.allCases.count)]
        switch random.index(below: 28) {
        case ..<4:
            count("target cut off")
            target.partition(kind)
        case ..<9:
            count("link cut")
            link.cut(kind)
        case ..<11:
            count("every link cut")
            for link in links { link.cut(kind) }
        case ..<20:
            target.heal()
            for link in links { link.heal() }
        case ..<23:
            count("target faults")
            for _ in 0..<3 {
                let operation = [TargetOperation.issue, .renew, .revoke][random.index(below: 3)]
                var faults: [TargetFault] = [
                    .failBefore(.transient), .failBefore(.denied), .failAfter, .loseReply, .lose,
                    .delay(.seconds(12)), .slowReply(.seconds(3)), .late(.seconds(8)),
                ]
                // A target that makes again what it was asked for once, when that has ended, is beyond anybody's knowledge.
                if operation != .issue { faults.append(.duplicate(after: .seconds(5))) }
                target.script(operation, faults[random.index(below: faults.count)])
            }
        case ..<26:
            count("link faults")
            link.plan(
                (0..<3).map { _ in RemoteLink.Fault.allCases[random.index(below: RemoteLink.Fault.allCases.count)] }
            )
        default:
            count("wall jump")
            (random.chance(0.5) ? time : brokerTime).jumpWall(by: .seconds(random.index(below: 40) - 20))
        }
    }

    /// The holder's machine sleeps, or its process gets no time; nothing of it runs meanwhile.
    private func sleepOrStarve() async {
        let length = random.duration(upTo: .seconds(400))
        if random.chance(0.5) {
            count("suspend")
            await time.suspend(for: length)
        } else {
            count("starved")
            time.pause()
            await time.advance(by: length)
            time.resume()
            await time.advance(by: .zero)
        }
        awakeSince = now
    }

    /// Somebody else ends leases, at the broker.
    func revoke(_ selection: LeaseSelection) async {
        guard let report = try? await manager.revoke(selection, RevokeOptions(wait: .seconds(60))) else { return }
        orders.append(report.order)
        guard report.isComplete, let root = selection.root, trees[root] != nil else { return }
        count("tree ended")
        trees[root]?.isReportedComplete = true
        checkTrees()
    }

    /// A job with credentials below it that is ended as a whole, perhaps while some are being made.
    func tree(of children: Int, for length: Duration) async {
        guard let job = try? await jobs[0].issue("job", IssueOptions()) else { return }
        trees[job.id] = Tree()
        await withDiscardingTaskGroup { group in
            for number in 0..<children {
                group.addTask {
                    try? await self.time.sleep(for: length * number / children)
                    guard
                        let lease = try? await self.sources[number % 2].issue("scope", IssueOptions(parent: job.id))
                    else { return }
                    self.trees[job.id]?.children.append(lease.secret)
                    self.checkTrees()
                }
            }
            try? await time.sleep(for: length * 3 / 4)
            await revoke(.tree(job.id))
        }
    }
}
