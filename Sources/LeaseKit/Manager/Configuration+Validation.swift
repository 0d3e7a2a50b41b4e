// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseManager.Configuration {
    /// Checks what the manager is configured with, when its store is opened.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/invalidLimits``, naming the field.
    func validate() throws(LeaseError) {
        func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(LeaseError) {
            if !holds { throw LeaseError(.invalidLimits, "the manager's configuration: " + sentence()) }
        }
        if let deployment {
            try require(
                (1...128).contains(deployment.utf8.count) && !deployment.utf8.contains { $0 < 0x20 || $0 == 0x7F },
                "deployment has \(deployment.utf8.count) bytes or control characters in it; use 1 to 128 bytes of text, or nil "
                    + "for the store's own name"
            )
        }
        do {
            try TTLPolicy(rules: ttlRules, system: limits).validate()
        } catch {
            throw LeaseError(
                .invalidLimits,
                "the manager's configuration: limits: \(error.description)",
                underlying: error
            )
        }
        for (name, length) in [
            ("shutdownBudget", shutdownBudget), ("revocationWait", revocationWait), ("patience", patience),
        ] {
            try require(length >= .zero, "\(name) is \(length); use zero or more")
        }
        for (name, length) in [("startTimeout", startTimeout), ("observationInterval", observationInterval)] {
            try require(length > .zero, "\(name) is \(length); use more than zero")
        }
    }
}
