// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension TTLPolicy {
    /// Checks that the limits of the layers make sense together; to be called when limits are set.
    ///
    /// A default or a period must not be longer than the maximum that holds for it, and a role's maximum not longer
    /// than the mount's, or the system's where the mount has none. A mount's maximum may be longer than the system's,
    /// whose place it takes. A maximum may be shorter than a default that is merely inherited: it is there to cut it.
    ///
    /// In the rule set ``TTLRuleSet/exact`` every value that is set must also be greater than zero.
    ///
    /// - Throws: ``TTLError`` for the first limit that makes no sense, the system's first.
    public func validate() throws(TTLError) {
        if rules == .exact { try checkValuesOfLayers() }
        if let maximum = set(system.maximum) {
            try check(system, of: .system, within: maximum, of: .system)
        }
        let outer = outerMaximum
        guard let ceiling = outer.duration, ceiling > .zero else {
            throw .maximumNotPositive(outer.duration, of: outer.bound)
        }
        try check(mount, of: .mount, within: ceiling, of: outer.bound)
        if let maximum = set(role.maximum) {
            if maximum > ceiling {
                throw .contradiction(
                    TTLError.Name(owner: .role, field: .maximum),
                    maximum,
                    above: TTLError.Name(owner: outer.bound, field: .maximum),
                    ceiling
                )
            }
            try check(role, of: .role, within: maximum, of: .role)
        } else {
            try check(role, of: .role, within: ceiling, of: outer.bound)
        }
    }

    /// Checks that all times of the layers and of a request are greater than zero.
    func checkValues(of request: TTLRequest) throws(TTLError) {
        try checkValuesOfLayers()
        try check(request.increment, asked: "TTL")
        try check(request.explicitMaximum, asked: "explicit maximum")
        try check(request.period, asked: "period")
    }

    private func checkValuesOfLayers() throws(TTLError) {
        if let maximum = system.maximum, !maximum.isPositive { throw .maximumNotPositive(maximum, of: .system) }
        try checkValues(of: system, .system)
        try checkValues(of: mount, .mount)
        try checkValues(of: role, .role)
    }

    private func checkValues(of limits: TTLLimits, _ layer: TTLBound) throws(TTLError) {
        try check(limits.ttl, TTLError.Name(owner: layer, field: .ttl))
        try check(limits.maximum, TTLError.Name(owner: layer, field: .maximum))
        try check(limits.period, TTLError.Name(owner: layer, field: .period))
    }

    private func check(_ value: Duration?, _ name: TTLError.Name) throws(TTLError) {
        if let value, !value.isPositive { throw .limitNotPositive(name, value) }
    }

    private func check(_ value: Duration?, asked field: StaticString) throws(TTLError) {
        if let value, !value.isPositive { throw .beyondBounds("\(field)", value) }
    }

    /// Checks that a layer's default and period are no longer than the maximum that holds for them.
    private func check(
        _ limits: TTLLimits,
        of layer: TTLBound,
        within maximum: Duration,
        of owner: TTLBound
    ) throws(TTLError) {
        let limit = TTLError.Name(owner: owner, field: .maximum)
        if let ttl = limits.ttl, ttl > maximum {
            throw .contradiction(TTLError.Name(owner: layer, field: .ttl), ttl, above: limit, maximum)
        }
        if let period = limits.period, period > maximum {
            throw .contradiction(TTLError.Name(owner: layer, field: .period), period, above: limit, maximum)
        }
    }
}
