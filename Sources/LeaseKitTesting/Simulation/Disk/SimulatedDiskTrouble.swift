// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What goes wrong on a ``SimulatedDisk``, each with a probability for one write.
public struct SimulatedDiskTrouble: Hashable, Sendable {
    /// It fails, and nothing of it is done.
    public var failure: Double
    /// It fails, and a part of it is done.
    public var tear: Double
    /// It is done, and answered with an error.
    public var lostAnswer: Double

    /// Makes trouble; none without numbers.
    public init(failure: Double = 0, tear: Double = 0, lostAnswer: Double = 0) {
        self.failure = failure
        self.tear = tear
        self.lostAnswer = lostAnswer
    }
}
