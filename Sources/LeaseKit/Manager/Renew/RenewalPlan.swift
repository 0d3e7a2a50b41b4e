// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a renewal shall do.
struct RenewalPlan: Sendable {
    /// The end to aim at: the policy's, unless that would shorten the lease and nobody asked for it.
    let expiresAt: LeaseInstant
    let terms: TTLDecision
    let options: RenewOptions
    let moment: Moment

    func what(_ record: LeaseRecord) -> String { "renew lease \(record.name)" }

    func outcome(_ expiresAt: LeaseInstant, window: RenewalWindow?) -> RenewalOutcome {
        RenewalOutcome(
            expiresAt: expiresAt,
            validUntil: moment.continuous(at: expiresAt),
            granted: moment.now.duration(to: expiresAt),
            asked: options.increment,
            boundBy: terms.boundBy,
            leftToMaximum: terms.leftToMaximum,
            warnings: terms.warnings,
            window: window
        )
    }
}

extension LeaseError {
    /// A lease that is as old as it may become: says how old, whose limit it is, and since when.
    init(
        pastMaximum record: LeaseRecord,
        _ role: TTLLimits,
        _ mount: MountRuntime,
        _ configuration: LeaseManager.Configuration,
        now: LeaseInstant
    ) {
        let roleName = mount.rolePath(of: record.path).split(separator: "/").last
        let ofMount = mount.settings.limits.maximum
        let candidates: [(Duration?, String)] = [
            (record.explicitMaximum, "its issuer"),
            (role.maximum, roleName.map { "role \"\($0)\"" } ?? "the role"),
            (ofMount ?? configuration.limits.maximum, ofMount == nil ? "the system" : "mount \"\(mount.path)\""),
        ]
        let limits = candidates.compactMap { limit, name in limit.map { ($0, name) } }.filter { $0.0 > .zero }
        var sentence = "lease \(record.name) cannot be renewed: it reached its maximum"
        if let (limit, name) = limits.min(by: { $0.0 < $1.0 }) {
            let ago = (record.issuedAt + limit).duration(to: now)
            sentence += " of \(LeaseDuration.text(of: limit)) (\(name))"
            if ago > .zero { sentence += " \(LeaseDuration.text(of: ago)) ago" }
        }
        self.init(.pastMaximum, sentence + "; issue a new one", lease: record.id)
    }
}
