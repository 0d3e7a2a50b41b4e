// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension TTLError {
    /// A limit of one layer, as the sentences call it.
    struct Name: CustomStringConvertible {
        enum Field: String {
            case ttl = "default TTL"
            case maximum, period
        }

        let owner: TTLBound
        let field: Field

        /// Such as *the role's maximum*.
        var description: String { "the \(owner)'s \(field.rawValue)" }
    }

    static func maximumNotPositive(_ maximum: Duration?, of owner: TTLBound) -> Self {
        guard let maximum else {
            return Self(
                .maximumNotPositive,
                "neither the system nor the mount has a maximum TTL; set the system's maximum, such as 32d"
            )
        }
        return Self(
            .maximumNotPositive,
            "the \(owner)'s maximum of \(text(maximum)) is not greater than zero; set a longer one, such as 32d"
        )
    }

    static func pastMaximum(age: Duration, maximum: Duration, of owner: TTLBound) -> Self {
        let limit = owner == .explicitMaximum ? "its own maximum" : "the \(owner)'s maximum"
        return Self(
            .pastMaximum,
            "the lease is \(text(age)) old and \(limit) is \(text(maximum)); it cannot be renewed, issue a new one"
        )
    }

    static func parentEnded(at end: LeaseInstant, now: LeaseInstant) -> Self {
        Self(
            .parentEnded,
            "the parent ended at \(end) and it is \(now); use a parent that is live, or one that does not bind"
        )
    }

    static func beyondBounds(_ field: String, _ value: Duration) -> Self {
        Self(
            .beyondBounds,
            "the requested \(field) of \(text(value)) is beyond bounds; "
                + "ask for more than zero, or leave it nil to take what the role, mount or system says"
        )
    }

    static let noDefault = Self(
        .noDefault,
        "no TTL was asked for and no layer has a default; ask for one, or set the ttl of the role, mount or system"
    )

    static func limitNotPositive(_ name: Name, _ value: Duration) -> Self {
        Self(
            .limitNotPositive,
            "\(name) of \(text(value)) is not greater than zero; set a longer one, or leave it nil to inherit"
        )
    }

    static func contradiction(_ name: Name, _ value: Duration, above limit: Name, _ maximum: Duration) -> Self {
        Self(
            .contradiction,
            "\(name) of \(text(value)) is longer than \(limit) of \(text(maximum)); "
                + "lower it to \(text(maximum)) or raise \(limit) to \(text(value))"
        )
    }

    private static func text(_ duration: Duration) -> String {
        LeaseDuration.text(of: duration)
    }
}
