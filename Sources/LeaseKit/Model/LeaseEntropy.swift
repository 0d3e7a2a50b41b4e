// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where LeaseKit draws random bits from: ids, jitter, deployment names.
///
/// The system's generator unless a test brings a seeded one, so that a simulated run replays exactly.
public struct LeaseEntropy: Sendable {
    private let draw: @Sendable () -> UInt64

    /// Makes a source from a function that returns 64 random bits at each call, from any thread.
    public init(_ draw: @escaping @Sendable () -> UInt64) {
        self.draw = draw
    }

    /// The system's cryptographic generator.
    public static let system = LeaseEntropy { systemBits.withLock { $0.next() } }

    /// Sixty-four random bits.
    public func next() -> UInt64 { draw() }

    /// A number from 0 up to, but not including, 1.
    public func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }
}

private let systemBits = Locked(SystemBits())
