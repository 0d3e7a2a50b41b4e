// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Measurements that belong together and share what it takes to set them up.
struct Group: Sendable {
    let name: String
    let summary: String
    let measure: @Sendable (Scale) async throws -> [Measurement]

    /// All groups, in the order in which they run.
    static let all = [
        Group(name: "memory", summary: "resident bytes a live lease", measure: measureMemory),
        Group(name: "calls", summary: "issue, renew, revoke and look-up, one caller", measure: measureCalls),
        Group(name: "drain", summary: "every lease due at once", measure: measureDrain),
        Group(name: "cascade", summary: "ending a parent with everything below it", measure: measureCascade),
        Group(name: "prefix", summary: "an order over a tenth of the leases", measure: measurePrefixOrder),
        Group(name: "events", summary: "what listeners cost", measure: measureListeners),
        Group(name: "start", summary: "a manager on a store that is full", measure: measureStart),
        Group(name: "suspending", summary: "a backend that is called under run()", measure: measureSuspending),
        Group(name: "renewal", summary: "the scheduler and what a pool reads", measure: measureRenewal),
        Group(name: "outage", summary: "leases lost in an outage, by rule of renewal", measure: measureOutages),
        Group(name: "sqlite", summary: "the durable store against raw SQLite", measure: measureSQLite),
        Group(
            name: "postgres",
            summary: "database users against raw libpq, and against Vault's statements",
            measure: measurePostgres
        ),
        Group(name: "signing", summary: "signatures of requests to AWS", measure: measureSigning),
        Group(name: "aws", summary: "users of IAM at an emulator", measure: measureCloudUsers),
    ]
}

/// How much is measured.
struct Scale: Sendable {
    /// How many leases live while something is measured, the smallest first.
    var sizes = [10_000, 100_000, 1_000_000]
    /// How often each measurement is repeated; the median counts.
    var rounds = 7

    /// The only size, for a quick look.
    static let quick = Scale(sizes: [10_000], rounds: 5)

    /// The size that the targets are about.
    var largest: Int { sizes.max() ?? 0 }
    /// Whether the targets are meant for this size.
    func hasTargets(at size: Int) -> Bool { size == 1_000_000 }
}
