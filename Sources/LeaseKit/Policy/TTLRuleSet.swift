// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Names the arithmetic that a ``TTLPolicy`` decides by.
public struct TTLRuleSet: Hashable, Sendable, CustomStringConvertible {
    private enum Raw {
        case exact, vault
    }

    private let raw: Raw

    /// Decides on exact times and refuses what makes no sense.
    ///
    /// The default. Precedence of limits is that of ``vault``. These points differ:
    ///
    /// | situation | here | why |
    /// |---|---|---|
    /// | parts of a second in *now* and the issue time | count | a renewal in the last second is not refused |
    /// | an issue time in the future | counts as *now* | a clock set back must not let a lease outlive its maximum |
    /// | a time of zero or less, asked for or set | an error | a typing mistake must not turn into a default |
    /// | no default time anywhere | an error | a lease of no length ends before it is of use |
    public static let exact = TTLRuleSet(raw: .exact)

    /// Decides as HashiCorp Vault and OpenBao do, whole seconds and peculiarities included.
    ///
    /// For those who move over and compare the two side by side. *Now* and the issue time are cut to whole seconds,
    /// durations are never rounded; zero or less means *not set*; a clock that has gone back moves the maximum out.
    public static let vault = TTLRuleSet(raw: .vault)

    /// The name of the rule set.
    public var description: String {
        switch raw {
        case .exact: "exact"
        case .vault: "vault"
        }
    }
}
