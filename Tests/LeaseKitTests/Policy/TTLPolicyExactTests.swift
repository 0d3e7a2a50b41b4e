// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// The rules of the exact rule set, one sentence a row; those it shares with Vault's only in short.
@Suite struct TTLPolicyExactTests {
    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("the system's default", .grants("12h", .system, left: "24h")),
        TTLRow("the mount's default", mount: limits("2h"), .grants("2h", .mount, left: "24h")),
        TTLRow("the role's default", mount: limits("2h"), role: limits("1h"), .grants("1h", .role, left: "24h")),
        TTLRow("what is asked for", role: limits("1h"), asks: "2h", .grants("2h", .request, left: "24h")),
        TTLRow("an exact fit", asks: "24h", .grants("24h", .request, left: "24h")),
        TTLRow(
            "the system's maximum", asks: "30h", .grants("24h", .system, left: "24h", ttlWarning("30h", "24h"))),
        TTLRow(
            "the mount's maximum, upwards", mount: limits(max: "48h"), asks: "30h",
            .grants("30h", .request, left: "48h")),
        TTLRow(
            "the mount's maximum, downwards", mount: limits(max: "6h"), asks: "30h",
            .grants("6h", .mount, left: "6h", ttlWarning("30h", "6h"))),
        TTLRow(
            "the role's maximum", role: limits(max: "6h"), asks: "30h",
            .grants("6h", .role, left: "6h", ttlWarning("30h", "6h"))),
        TTLRow(
            "the explicit maximum", role: limits(max: "6h"), asks: "30h", explicit: "5h",
            .grants("5h", .explicitMaximum, left: "5h", ttlWarning("30h", "5h"))),
        TTLRow(
            "a role's default above its maximum is cut, not refused", role: limits("8h", max: "6h"),
            .grants("6h", .role, left: "6h", ttlWarning("8h", "6h"))),
        TTLRow("a lowered maximum refuses", role: limits(max: "6h"), issued: "-6h", .refusal(.pastMaximum)),
        TTLRow(
            "a lowered maximum cuts", role: limits(max: "6h"), issued: "-5h",
            .grants("1h", .role, left: "1h", ttlWarning("12h", "1h"))),
        TTLRow(
            "a raised maximum helps", mount: limits(max: "48h"), issued: "-30h", .grants("12h", .system, left: "18h")),
        TTLRow(
            "a period renews past every maximum", role: limits(max: "6h", period: "1h"), issued: "-365d",
            .grants("1h", .period, left: nil)),
        TTLRow(
            "both warnings", period: "48h", explicit: "3h", issued: "-1h",
            .grants("2h", .explicitMaximum, left: "2h", periodWarning("48h", "3h"), ttlWarning("3h", "2h"))),
        TTLRow(
            "the parent's end", asks: "48h", parent: "1h",
            .grants("1h", .parent, left: "24h", ttlWarning("48h", "24h"))),
        TTLRow("a parent that has ended", parent: "0s", .refusal(.parentEnded)),
    ])
    func asInVault(_ row: TTLRow) throws {
        try row.check(.exact)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow(
            "now counts to the nanosecond", asks: "5s", issued: "-23h59m59s", now: "999ms",
            .grants("1ms", .system, left: "1ms", ttlWarning("5s", "1ms"))),
        TTLRow(
            "the issue time counts to the nanosecond", issued: "-23h59m59.001s",
            .grants("999ms", .system, left: "999ms", ttlWarning("12h", "999ms"))),
        TTLRow(
            "the last nanosecond is granted", issued: "-23h59m59.999999999s",
            .grants("1ns", .system, left: "1ns", ttlWarning("12h", "1ns"))),
        TTLRow("then it is over", issued: "-24h", .refusal(.pastMaximum)),
        TTLRow("the end is now plus the time granted", asks: "1h", now: "500ms", .grants("1h", .request, left: "24h")),
        TTLRow(
            "also at the maximum", asks: "24h", issued: "0s", now: "500ms",
            .grants("23h59m59.5s", .system, left: "23h59m59.5s", ttlWarning("24h", "23h59m59.5s"))),
        TTLRow("issued in the future counts as now", issued: "2h", .grants("12h", .system, left: "24h")),
        TTLRow(
            "issued in the future gives no time on top", asks: "48h", issued: "2h",
            .grants("24h", .system, left: "24h", ttlWarning("48h", "24h"))),
        TTLRow(
            "issued in the future, periodic", period: "1h", explicit: "3h", issued: "2h",
            .grants("1h", .period, left: "3h")),
    ])
    func time(_ row: TTLRow) throws {
        try row.check(.exact)
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        TTLRow("a TTL of zero asked for", asks: "0s", .refusal(.beyondBounds)),
        TTLRow("a negative TTL asked for", asks: "-5m", .refusal(.beyondBounds)),
        TTLRow("also when a period makes it idle", asks: "-5m", period: "1h", .refusal(.beyondBounds)),
        TTLRow("an explicit maximum of zero", explicit: "0s", .refusal(.beyondBounds)),
        TTLRow("a negative explicit maximum", explicit: "-1h", .refusal(.beyondBounds)),
        TTLRow("a period of zero asked for", period: "0s", .refusal(.beyondBounds)),
        TTLRow("a system maximum of zero", system: limits("1h", max: "0s"), .refusal(.maximumNotPositive)),
        TTLRow("a negative system maximum", system: limits("1h", max: "-1h"), .refusal(.maximumNotPositive)),
        TTLRow(
            "which a mount's does not rescue", system: limits("1h", max: "0s"), mount: limits(max: "6h"),
            .refusal(.maximumNotPositive)),
        TTLRow(
            "a missing one it does", system: limits("1h"), mount: limits(max: "6h"),
            .grants("1h", .system, left: "6h")),
        TTLRow("no maximum at all", system: limits("1h"), .refusal(.maximumNotPositive)),
        TTLRow("no default at all", system: limits(max: "24h"), .refusal(.noDefault)),
        TTLRow(
            "no default, but asked", system: limits(max: "24h"), asks: "1h", .grants("1h", .request, left: "24h")),
        TTLRow(
            "no default, but periodic", system: limits(max: "24h"), period: "1h", .grants("1h", .period, left: nil)),
        TTLRow("a negative system default", system: limits("-1h", max: "24h"), .refusal(.limitNotPositive)),
        TTLRow("a mount's default of zero", mount: limits("0s"), .refusal(.limitNotPositive)),
        TTLRow("a mount's maximum of zero", mount: limits(max: "0s"), .refusal(.limitNotPositive)),
        TTLRow("a negative mount's maximum", mount: limits(max: "-1h"), .refusal(.limitNotPositive)),
        TTLRow("a role's default of zero", role: limits("0s"), .refusal(.limitNotPositive)),
        TTLRow("a negative role's maximum", role: limits(max: "-1h"), .refusal(.limitNotPositive)),
        TTLRow("a role's period of zero", role: limits(period: "0s"), .refusal(.limitNotPositive)),
    ])
    func mistakes(_ row: TTLRow) throws {
        try row.check(.exact)
    }

    @Test func errorsNameTheNumbersAndTheFix() {
        let now = TTLRow.epoch
        let policy = TTLPolicy(role: limits("1h", max: "24h"))
        let negative = #expect(throws: TTLError.self) {
            try policy.decide(TTLRequest(now: now, increment: .seconds(-300)))
        }
        #expect(
            negative?.description == "the requested TTL of -5m is beyond bounds; "
                + "ask for more than zero, or leave it nil to take what the role, mount or system says"
        )
        let past = #expect(throws: TTLError.self) {
            try policy.decide(TTLRequest(now: now, issuedAt: now - .seconds(90_000)))
        }
        #expect(
            past?.description
                == "the lease is 1d1h old and the role's maximum is 1d; it cannot be renewed, issue a new one"
        )
        let ended = #expect(throws: TTLError.self) { try policy.decide(TTLRequest(now: now, parentEnd: now)) }
        #expect(
            ended?.description == "the parent ended at 2027-01-15T08:00:00Z and it is 2027-01-15T08:00:00Z; "
                + "use a parent that is live, or one that does not bind"
        )
    }

    @Test(arguments: [TTLRuleSet.exact, .vault])
    func absurdlyLongTimesAreHeldNotTrapped(_ rules: TTLRuleSet) throws {
        let endless = TTLLimits(ttl: Duration(attoseconds: .max), maximum: Duration(attoseconds: .max))
        let policy = TTLPolicy(rules: rules, system: endless, mount: endless, role: endless)
        for now in [TTLRow.epoch, .distantPast, .distantFuture] {
            for issuedAt in [nil, LeaseInstant.distantPast, .distantFuture, TTLRow.epoch] {
                let decision = try policy.decide(TTLRequest(now: now, issuedAt: issuedAt))
                #expect(decision.ttl >= .seconds(Int64.max / 4))
                // The ends of time stay where they are, whatever is added.
                #expect(decision.expiresAt == (now == .distantPast ? .distantPast : .distantFuture))
            }
        }
        let request = TTLRequest(now: TTLRow.epoch, increment: Duration(attoseconds: .max))
        #expect(try policy.decide(request).expiresAt == .distantFuture)
    }
}
