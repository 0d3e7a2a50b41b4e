// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A model of a rule of renewal that somebody publishes: when to renew, and when to try again.
///
/// Models, not the projects' code: each is what its documentation or source says, in a few lines, for a lease of one hour
/// whose broker does not answer. An attempt takes ten seconds to fail.
struct RenewalRule: Sendable {
    let name: String
    /// When the lease is renewed first, in seconds; the number is random from 0 up to 1.
    let first: @Sendable (Double) -> Double
    /// How long to wait after a failure, given the failures, what is left and a random number; nil gives up.
    let retry: @Sendable (Int, Double, Double) -> Double?

    static let ttl = 3_600.0
    private static let attempt = 10.0

    static let all = [
        RenewalRule(name: "model: Spring drop", first: { _ in ttl - 60 }, retry: { _, _, _ in nil }),
        // Retried after the time that was granted, which is over by then.
        RenewalRule(name: "model: Spring retain", first: { _ in ttl - 60 }, retry: { _, _, _ in ttl - 60 }),
        RenewalRule(
            name: "model: Spring retain, threshold 2000 s",
            first: { _ in ttl - 2_000 },
            retry: { _, _, _ in ttl - 2_000 }
        ),
        // Two thirds plus a third of a grace of 10 to 20 %; gives up inside the grace.
        RenewalRule(
            name: "model: Vault watcher",
            first: { random in ttl * 2 / 3 + ttl * (0.1 + 0.1 * random) / 3 },
            retry: { failures, left, random in
                let wait = min(300, 10 * Double(1 << min(failures - 1, 10)))
                return left - wait <= ttl * (0.1 + 0.1 * random) ? nil : wait
            }
        ),
        // It makes another credential instead; the model counts that as kept.
        RenewalRule(
            name: "model: Vault Secrets Operator",
            first: { random in ttl * 0.67 * (1 + 0.1 * random) },
            retry: { failures, _, _ in min(60, 5 * Double(1 << min(failures - 1, 10))) }
        ),
        // An advisory window of 15 minutes, and 5 to 10 minutes between attempts; a mandatory one in the last.
        RenewalRule(
            name: "model: AWS SDKs, 2026",
            first: { _ in ttl - 900 },
            retry: { _, left, random in left > 60 ? min(300 + 300 * random, max(10, left - 60)) : 10 }
        ),
    ]

    /// Whether a lease is lost, and how many attempts fail, when the outage begins at a random moment before the renewal.
    func trial(outage: Double, _ random: inout some RandomNumberGenerator) -> (isLost: Bool, failures: Int) {
        let renewal = first(.random(in: 0..<1, using: &random))
        let begin = Double.random(in: 0..<renewal, using: &random)
        var (now, failures) = (renewal, 0)
        while now < Self.ttl {
            if now >= begin + outage { return (false, failures) }
            failures += 1
            now += Self.attempt
            guard let wait = retry(failures, Self.ttl - now, .random(in: 0..<1, using: &random)) else { break }
            now += wait
        }
        return (true, failures)
    }
}
