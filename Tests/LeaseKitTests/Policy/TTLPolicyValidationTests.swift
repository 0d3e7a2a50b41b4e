// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// Which limits fit together, one sentence a row.
@Suite struct TTLPolicyValidationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let policy: TTLPolicy
        let error: TTLError.Code?

        init(
            _ sentence: String,
            rules: TTLRuleSet = .exact,
            system: TTLLimits = limits("12h", max: "24h"),
            mount: TTLLimits = TTLLimits(),
            role: TTLLimits = TTLLimits(),
            _ error: TTLError.Code?
        ) {
            testDescription = sentence
            policy = TTLPolicy(rules: rules, system: system, mount: mount, role: role)
            self.error = error
        }
    }

    // A row keeps to one or two lines, so that the table reads as one.
    // swift-format-ignore
    @Test(arguments: [
        Row("the system's own default limits fit", system: .systemDefault, nil),
        Row("a default as long as the maximum fits", system: limits("24h", max: "24h"), nil),
        Row("a default above the system's maximum", system: limits("25h", max: "24h"), .contradiction),
        Row("a period above the system's maximum", system: limits("1h", max: "24h", period: "25h"), .contradiction),
        Row("no maximum anywhere", system: limits("1h"), .maximumNotPositive),
        Row("a mount's maximum is enough", system: limits("1h"), mount: limits(max: "2h"), nil),
        Row("a mount's maximum may exceed the system's", mount: limits(max: "48h"), nil),
        Row("a mount's maximum may cut an inherited default", mount: limits(max: "1h"), nil),
        Row("a mount's default above its own maximum", mount: limits("3h", max: "2h"), .contradiction),
        Row("a mount's default above the system's maximum", mount: limits("25h"), .contradiction),
        Row("a mount's default above the system's maximum but not its own", mount: limits("25h", max: "48h"), nil),
        Row("a mount's period above its own maximum", mount: limits(max: "2h", period: "3h"), .contradiction),
        Row("a role within the mount's limits", mount: limits(max: "2h"), role: limits("1h", max: "2h"), nil),
        Row("a role's maximum above the mount's", mount: limits(max: "2h"), role: limits(max: "3h"), .contradiction),
        Row("a role's maximum above the system's", role: limits(max: "25h"), .contradiction),
        Row("a role's maximum above the system's but not the mount's", mount: limits(max: "48h"),
            role: limits(max: "36h"), nil),
        Row("a role's default above its own maximum", role: limits("3h", max: "2h"), .contradiction),
        Row("a role's default above the mount's maximum", mount: limits(max: "2h"), role: limits("3h"), .contradiction),
        Row("a role's period above its own maximum", role: limits(max: "2h", period: "3h"), .contradiction),
        Row("a role's period above the system's maximum", role: limits(period: "25h"), .contradiction),
        Row("a role's maximum may cut an inherited default", role: limits(max: "1h"), nil),
        Row("zero is a mistake in the system's maximum", system: limits("1h", max: "0s"), .maximumNotPositive),
        Row("zero is a mistake in a default", role: limits("0s"), .limitNotPositive),
        Row("zero is a mistake in a mount's maximum", mount: limits(max: "0s"), .limitNotPositive),
        Row("a negative period is a mistake", mount: limits(period: "-1s"), .limitNotPositive),
        Row("Vault: zero inherits", rules: .vault, mount: limits("0s", max: "0s"), role: limits("0s", max: "0s"), nil),
        Row("Vault: negative is none in a role", rules: .vault, role: limits("-1s", max: "-1s", period: "-1s"), nil),
        Row("Vault: a negative mount's maximum counts", rules: .vault, mount: limits(max: "-1s"), .maximumNotPositive),
        Row("Vault: a zero system maximum", rules: .vault, system: limits("1h", max: "0s"), .maximumNotPositive),
        Row("Vault: which the mount rescues", rules: .vault, system: limits("1h", max: "0s"), mount: limits(max: "2h"),
            nil),
        Row("Vault: contradictions are the same", rules: .vault, role: limits("3h", max: "2h"), .contradiction),
    ])
    func limitsFitTogether(_ row: Row) throws {
        guard let code = row.error else {
            try row.policy.validate()
            return
        }
        let error = #expect(throws: TTLError.self) { try row.policy.validate() }
        #expect(error?.code == code)
    }

    @Test func sentencesNameNumbersAndFix() {
        let contradiction = #expect(throws: TTLError.self) {
            try TTLPolicy(mount: limits(max: "2d"), role: limits("72h")).validate()
        }
        #expect(
            contradiction?.description == "the role's default TTL of 3d is longer than the mount's maximum of 2d; "
                + "lower it to 2d or raise the mount's maximum to 3d"
        )
        let negative = #expect(throws: TTLError.self) { try TTLPolicy(mount: limits(period: "-5m")).validate() }
        #expect(
            negative?.description == "the mount's period of -5m is not greater than zero; "
                + "set a longer one, or leave it nil to inherit"
        )
        let zero = #expect(throws: TTLError.self) { try TTLPolicy(system: limits("1h", max: "0s")).validate() }
        #expect(
            zero?.description == "the system's maximum of 0s is not greater than zero; set a longer one, such as 32d"
        )
        let none = #expect(throws: TTLError.self) { try TTLPolicy(system: limits("1h")).validate() }
        #expect(
            none?.description
                == "neither the system nor the mount has a maximum TTL; set the system's maximum, such as 32d"
        )
    }
}
