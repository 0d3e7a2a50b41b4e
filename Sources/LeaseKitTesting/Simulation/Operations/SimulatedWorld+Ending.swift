// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What ends leases, and what operators do about those that do not end.
extension SimulatedWorld {
    func revoke() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        guard let id = someLease(of: deployment) else { return }
        revoke(random.chance(0.5) ? .tree(id) : .lease(id), isClosing: false, on: process, of: deployment)
    }

    func revokeMany() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        let selection: LeaseSelection
        if random.chance(0.3), let session = pick(Array(deployment.sessions.suffix(10))) {
            selection = .tree(session)
        } else if random.chance(0.6) {
            selection = .prefix(
                ["db", "db/creds", "db/creds/app", "session/a", "cloud", "session"][random.index(below: 6)]
            )
        } else {
            let ids = process.mounts.keys.sorted().compactMap { process.mounts[$0]?.id }
            guard let id = pick(ids) else { return }
            selection = .mount(id)
        }
        revoke(selection, isClosing: random.chance(0.2), on: process, of: deployment)
    }

    func revoke(
        _ selection: LeaseSelection,
        isClosing: Bool,
        on process: SimulatedProcess,
        of deployment: SimulatedDeployment
    ) {
        var options = RevokeOptions(isClosing: isClosing)
        let order = RevocationOrderID(rawValue: random.next() | 1)
        options.orderID = order
        if random.chance(0.3) { options.wait = .zero }
        if isClosing { deployment.closings.append(order) }
        deployment.orders.append(order)
        counts.add("revocations")
        var mounts: [MountID: String] = [:]
        for (path, mount) in process.mounts { mounts[mount.id] = path }
        let (paths, given) = (mounts, options)
        // A table that took another's place counts on from where it was: what was lost does not count.
        let newest =
            checker.leases.values.filter { $0.deployment == deployment.index && $0.excuse == nil }.map(\.sequence).max()
            ?? 0
        let restores = deployment.restores
        call("revoke \(selection)", on: process, cancelAfter: someCancellation()) { [self] in
            let report = try await process.manager.revoke(selection, given)
            if process.life.isDead || deployment.restores != restores { return }
            if report.isComplete { counts.add("reports.complete") }
            checker.checkReport(report, of: selection, placedAt: newest, in: deployment.index, mounts: paths)
        }
    }

    func abandon() {
        guard let process = someProcess() else { return }
        guard let id = someLease(of: deployments[process.deployment]) else { return }
        call("abandon \(id)", on: process) { _ = try await process.manager.abandon(id) }
    }

    func rearm() {
        guard let process = someProcess(), let plan = pick(deployments[process.deployment].plans) else { return }
        call("rearm \(plan.path)", on: process) { _ = try await process.manager.rearm(mountAt: plan.path) }
    }

    func sweep() {
        guard let process = someProcess() else { return }
        guard let plan = pick(deployments[process.deployment].plans.filter { !$0.isSession }) else { return }
        let options = SweepOptions(
            isDryRun: random.chance(0.3),
            grace: .seconds(random.chance(0.5) ? 600 : 200)
        )
        call("sweep \(plan.path)", on: process) { [self] in
            let report = try await process.manager.sweepOrphans(ofMountAt: plan.path, options)
            counts.add("sweeps")
            counts.add("orphans.ended", report.ended)
        }
    }

    func holdOff() {
        guard let process = someProcess() else { return }
        if random.chance(0.4) {
            note("hold off \(process.name)")
            process.manager.pauseExpiry()
        } else {
            resumeExpiry(process)
        }
    }

    private func resumeExpiry(_ process: SimulatedProcess) {
        if process.manager.holdOffReasons.contains(where: { if case .doubt = $0 { true } else { false } }) {
            counts.add("epochs")
        }
        call("resume expiry", on: process) { try await process.manager.resume() }
    }

    func reopen() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        guard let order = pick(deployment.closings) else { return }
        call("reopen \(order)", on: process) { try await process.manager.reopen(order) }
    }

    /// Lowers limits, or raises them again.
    func changeSettings() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        guard let plan = pick(deployment.plans.filter { !$0.isSession }), let mount = process.mounts[plan.path] else {
            return
        }
        var settings = plan.settings
        if random.chance(0.7) {
            settings.limits.maximum = settings.limits.maximum.map { $0 / 2 }
            settings.limits.ttl = settings.limits.ttl.map { $0 / 2 }
            settings.concurrency = 1 + random.index(below: 4)
        }
        note("settings of \(plan.path) on \(process.name)")
        do {
            try mount.change(settings)
            let now = time.read().continuous
            checker.limits[deployment.index].change(plan.path, of: process.name, to: settings.limits.maximum, at: now)
        } catch {
            note("settings: \(error)")
        }
    }

    func remount() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        guard let plan = pick(deployment.plans.filter { !$0.isSession }) else { return }
        let policy: UnmountPolicy =
            [.leave, .leave, .refuse, .revoke(wait: .seconds(10))][random.index(below: 4)]
        call("remount \(plan.path)", on: process) { [checker] in
            checker.unsettle(process.deployment, lasting: .seconds(60))
            // What is mounted anew begins with the original settings.
            let now = checker.target.time.read().continuous
            checker.limits[process.deployment].change(plan.path, of: process.name, to: nil, at: now)
            try await process.manager.unmount(at: plan.path, leases: policy)
            process.isReady = false
            process.mounts[plan.path] = nil
            try await process.time.sleep(for: .seconds(5))
            await process.mount(deployment.plans)
        }
    }

    func adopt() {
        guard let process = someProcess() else { return }
        let deployment = deployments[process.deployment]
        guard let plan = pick(deployment.plans.filter { !$0.isSession }) else { return }
        call("adopt \(plan.path)", on: process) {
            try await process.manager.adoptTarget(at: plan.path)
        }
    }
}
