// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A small random generator that gives the same numbers for the same seed, on every platform.
///
/// SplitMix64: fast, good enough to choose among faults and ready jobs, and no secret can be drawn from it.
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    /// Makes a generator.
    public init(seed: UInt64) { state = seed }

    /// Sixty-four bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A whole number from 0 up to, but not including, `bound`; 0 for a bound below 2.
    public mutating func index(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number from 0 up to, but not including, 1.
    public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool {
        // Draws nothing for what never happens, so that switching one fault off leaves the others where they were.
        probability > 0 && unit() < probability
    }

    /// A duration from zero up to `longest`.
    public mutating func duration(upTo longest: Duration) -> Duration {
        let nanoseconds = max(0, longest.saturatingNanoseconds)
        return .nanoseconds(Int64(unit() * Double(nanoseconds)))
    }

    /// A generator of its own for one part of a run, so that parts do not shift each other's numbers.
    public mutating func split() -> SeededGenerator { SeededGenerator(seed: next()) }

    /// The seed for a test that is random: `LEASEKIT_SEED` from the environment, else `fallback`, else a fresh one.
    ///
    /// Put it into the failure message, and a failed run can be repeated.
    public static func seed(or fallback: UInt64? = nil) -> UInt64 {
        if let text = getenv("LEASEKIT_SEED"), let seed = UInt64(String(cString: text)) { return seed }
        if let fallback { return fallback }
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}

extension LeaseEntropy {
    /// A source whose bits follow from a seed: for tests that replay, never for real names.
    public static func seeded(_ seed: UInt64) -> LeaseEntropy {
        let generator = Locked(SeededGenerator(seed: seed))
        return LeaseEntropy { generator.withLock { $0.next() } }
    }
}
