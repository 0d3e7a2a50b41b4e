// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What applications ask for.
extension SimulatedWorld {
    func issue() async {
        guard let process = someProcess() else { return await restart() }
        let deployment = deployments[process.deployment]
        guard let plan = pick(deployment.plans.filter { !$0.isSession }), let mount = process.mounts[plan.path] else {
            return
        }
        let options = someOptions(of: deployment)
        checker.issuesAsked += 1
        call("issue at \(plan.path)", on: process, cancelAfter: someCancellation()) { [self] in
            let lease = try await mount.issue("app", options)
            if process.life.isDead { return }
            deployment.known.append(lease.id)
            checker.didIssue(lease, by: process)
        }
    }

    func issueSession() {
        guard let process = someProcess(), let sessions = process.sessions else { return }
        let deployment = deployments[process.deployment]
        var options = someOptions(of: deployment)
        options.requestID = nil
        let name = ["a", "b", "a/b"][random.index(below: 3)]
        let given = options
        call("session", on: process, cancelAfter: someCancellation()) {
            let lease = try await sessions.issue(name, given)
            if process.life.isDead { return }
            deployment.sessions.append(lease.id)
            deployment.known.append(lease.id)
        }
    }

    private func someOptions(of deployment: SimulatedDeployment) -> IssueOptions {
        var options = IssueOptions()
        if random.chance(0.4) { options.ttl = .seconds(5 + random.index(below: 600)) }
        if random.chance(0.2) { options.explicitMaximum = .seconds(30 + random.index(below: 900)) }
        if random.chance(0.15) { options.period = .seconds(20 + random.index(below: 300)) }
        if random.chance(0.15) { options.uses = UInt32(1 + random.index(below: 3)) }
        if random.chance(0.2) { options.owner = "owner-\(random.index(below: 3))" }
        if random.chance(0.2) {
            requestNumber += random.index(below: 2)
            options.requestID = "request-\(requestNumber)"
        }
        if random.chance(0.4) {
            let parents = random.chance(0.7) ? deployment.sessions.suffix(10) : deployment.known.suffix(10)
            options.parent = pick(Array(parents))
            options.outlivesParentTTL = random.chance(0.4)
        }
        return options
    }

    func renew() {
        guard let process = someProcess() else { return }
        guard let id = someLease(of: deployments[process.deployment]) else { return }
        var options = RenewOptions()
        if random.chance(0.6) { options.increment = .seconds(5 + random.index(below: 900)) }
        if random.chance(0.15) {
            options.mayShorten = true
            options.cause = LeaseCause(.requested, actor: "shorten")
        }
        let given = options
        call("renew \(id)", on: process, cancelAfter: someCancellation()) { [self] in
            let outcome = try await process.manager.renew(id, given)
            if process.life.isDead { return }
            checker.didRenew(id, outcome, by: process)
        }
    }

    func consume() {
        guard let process = someProcess() else { return }
        guard let id = someLease(of: deployments[process.deployment]) else { return }
        call("consume \(id)", on: process, cancelAfter: someCancellation()) {
            _ = try await process.manager.consumeUse(of: id)
        }
    }

    func detach() {
        guard let process = someProcess() else { return }
        guard let id = someLease(of: deployments[process.deployment]) else { return }
        call("detach \(id)", on: process, cancelAfter: someCancellation()) { try await process.manager.detach(id) }
    }

    func look() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        let order = pick(Array(deployment.orders.suffix(5)))
        call("look", on: process, cancelAfter: someCancellation()) {
            _ = try await process.manager.counts()
            _ = try await process.manager.page(limit: 10)
            _ = try await process.manager.openOrders()
            if let order { _ = try await process.manager.waitForReport(of: order, atMost: .seconds(2)) }
        }
    }
}
