// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// How often things go wrong at an ``InMemoryTarget`` by chance; each value is a probability from 0 to 1.
public struct TargetFaultMix: Hashable, Sendable {
    /// Refused before anything was done.
    public var failBefore = 0.0
    /// Done, but answered with an error that leaves it open.
    public var failAfter = 0.0
    /// Neither done nor answered until released.
    public var hang = 0.0
    /// Lost on the way in.
    public var lose = 0.0
    /// Done, with the answer lost.
    public var loseReply = 0.0
    /// Done and answered after a while.
    public var delay = 0.0
    /// Done after a while, never answered.
    public var late = 0.0
    /// Done after a revocation that found nothing.
    public var lateAfterRevoke = 0.0
    /// Done twice.
    public var duplicate = 0.0
    /// The longest delay, lateness or distance of a duplicate.
    public var longest: Duration = .seconds(30)
    /// The operations that it is about.
    public var operations: Set<TargetOperation> = [.issue, .renew, .revoke]

    /// Makes a mix in which nothing goes wrong.
    public init() {}

    /// A bit of everything, `probability` in all.
    public static func everything(_ probability: Double, longest: Duration = .seconds(30)) -> TargetFaultMix {
        var mix = TargetFaultMix()
        let share = probability / 9
        mix.failBefore = share
        mix.failAfter = share
        mix.hang = share
        mix.lose = share
        mix.loseReply = share
        mix.delay = share
        mix.late = share
        mix.lateAfterRevoke = share
        mix.duplicate = share
        mix.longest = longest
        return mix
    }

    func draw(_ operation: TargetOperation, _ generator: inout SeededGenerator) -> TargetFault {
        guard operations.contains(operation) else { return .none }
        // Both numbers are drawn each time, so that a changed probability does not shift what comes later.
        let (roll, span) = (generator.unit(), generator.duration(upTo: longest))
        let table: [(Double, TargetFault)] = [
            (failBefore, .failBefore()), (failAfter, .failAfter), (hang, .hang), (lose, .lose),
            (loseReply, .loseReply), (delay, .delay(span)), (late, .late(span)),
            (lateAfterRevoke, .lateAfterRevoke(plus: span)), (duplicate, .duplicate(after: span)),
        ]
        var sum = 0.0
        for (probability, fault) in table {
            sum += probability
            if roll < sum { return fault }
        }
        return .none
    }
}
