// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite("The rules of a change")
struct LeaseRecordApplyTests {
    private typealias Fixture = RulesFixture

    struct Refused: Sendable {
        var record: LeaseRecord
        var update: LeaseUpdate
        var facts = UpdateFacts()
        var after: Int64 = 0
        var refusal: ChangeRefusal
    }

    private static func activation(_ seconds: Int64 = 100, generation: UInt32 = 1) -> LeaseUpdate {
        let end = Fixture.now + .seconds(seconds)
        return .activate(LeaseActivation(handle: [2], expiresAt: end, generation: generation))
    }

    private static func extending(_ seconds: Int64, generation: UInt32 = 1, mayShorten: Bool = false) -> LeaseUpdate {
        let end = Fixture.now + .seconds(seconds)
        return .extend(LeaseExtension(expiresAt: end, generation: generation, mayShorten: mayShorten))
    }

    private static func child(_ state: LeaseState) -> LeaseRecord {
        var record = Fixture.record(state)
        record.parent = LeaseID(high: 9, low: 9)
        record.bindsToParent = true
        return record
    }

    private static func covered(_ state: LeaseState) -> LeaseRecord {
        var record = Fixture.record(state)
        record.order = Fixture.order.id
        return record
    }

    private static let orderFacts = UpdateFacts(coveredBy: Fixture.order.id)
    private static let goneParent = UpdateFacts(parent: nil)
    private static let shortParent = UpdateFacts(
        parent: ParentFacts(isActive: true, expiresAt: Fixture.now + .seconds(50))
    )
    private static let other = LeaseClaim(rawValue: 6)

    static let refused: [Refused] = [
        Refused(record: Fixture.record(.active), update: activation(), refusal: .wrongState(.active)),
        Refused(record: covered(.pending), update: activation(), refusal: .covered(Fixture.order.id)),
        Refused(
            record: Fixture.record(.pending),
            update: activation(),
            facts: orderFacts,
            refusal: .covered(Fixture.order.id)
        ),
        Refused(record: child(.pending), update: activation(), facts: goneParent, refusal: .parentNotActive),
        Refused(record: Fixture.record(.pending), update: activation(generation: 2), refusal: .generationChanged(1)),
        Refused(record: Fixture.record(.pending), update: activation(), after: 10, refusal: .tooLate),
        Refused(record: Fixture.record(.pending), update: activation(0), refusal: .tooLate),
        Refused(
            record: child(.pending),
            update: activation(51),
            facts: shortParent,
            refusal: .beyondParent(Fixture.now + .seconds(50))
        ),
        Refused(
            record: Fixture.record(.active),
            update: .handOver(LeaseHandOver(handle: nil, mayBeInFlight: true)),
            refusal: .wrongState(.active)
        ),
        Refused(record: Fixture.record(.revoking), update: extending(200), refusal: .wrongState(.revoking)),
        Refused(record: covered(.revoking), update: extending(200), refusal: .covered(Fixture.order.id)),
        Refused(
            record: Fixture.record(.active),
            update: extending(200),
            facts: orderFacts,
            refusal: .covered(Fixture.order.id)
        ),
        Refused(record: Fixture.record(.active), update: extending(200), after: 100, refusal: .tooLate),
        Refused(
            record: Fixture.record(.active),
            update: extending(200, generation: 7),
            refusal: .generationChanged(1)
        ),
        Refused(record: Fixture.record(.active), update: extending(0), refusal: .tooLate),
        Refused(
            record: Fixture.record(.active),
            update: extending(99),
            refusal: .wouldShorten(Fixture.now + .seconds(100))
        ),
        Refused(
            record: child(.active),
            update: extending(120),
            facts: shortParent,
            refusal: .beyondParent(Fixture.now + .seconds(50))
        ),
        Refused(record: Fixture.record(.active, uses: 0), update: .consumeUse, refusal: .noUsesLeft),
        Refused(record: Fixture.record(.stuck), update: .detach, refusal: .wrongState(.stuck)),
        Refused(
            record: Fixture.record(.pending),
            update: .doubt(handle: nil, isAmbiguous: true),
            refusal: .wrongState(.pending)
        ),
        Refused(record: Fixture.record(.active), update: .rearm, refusal: .wrongState(.active)),
        Refused(record: Fixture.record(.ending), update: .rearm, refusal: .wrongState(.ending)),
        Refused(record: Fixture.record(.stuck, isClaimed: true), update: .rearm, refusal: .claimLost),
        Refused(
            record: Fixture.record(.revoking, isClaimed: true),
            update: .attempt(other, Fixture.failure, due: Fixture.now, isStuck: false),
            refusal: .claimLost
        ),
        Refused(
            record: Fixture.record(.revoking),
            update: .release(other, due: Fixture.now),
            refusal: .claimLost
        ),
        Refused(
            record: Fixture.record(.settling),
            update: .settle(other, due: Fixture.now),
            refusal: .claimLost
        ),
        Refused(record: Fixture.record(.revoking), update: .end(other, until: Fixture.now), refusal: .claimLost),
        Refused(record: Fixture.record(.revoking), update: .remove(other, .revoked), refusal: .claimLost),
        Refused(record: Fixture.record(.revoking), update: .remove(nil, .revoked), refusal: .claimLost),
        Refused(
            record: Fixture.record(.revoking),
            update: .remove(nil, .abandoned),
            facts: UpdateFacts(hasChildren: true),
            refusal: .hasChildren
        ),
        Refused(
            record: Fixture.record(.quarantined),
            update: .quarantine(nil, Fixture.failure),
            refusal: .wrongState(.quarantined)
        ),
        Refused(
            record: Fixture.record(.revoking),
            update: .quarantine(other, Fixture.failure),
            refusal: .claimLost
        ),
    ]

    @Test("each refusal, and the record stays as it was", arguments: refused.indices)
    func refuses(index: Int) {
        let row = Self.refused[index]
        var record = row.record
        #expect(record.apply(row.update, row.facts, Fixture.context(row.after)) == .failure(row.refusal))
        #expect(record.generation == row.record.generation)
        #expect(record.operation == row.record.operation)
        #expect(record.state == row.record.state)
        #expect(record.due == row.record.due)
    }

    @Test("each change leads to its state, effect and time")
    func leads() {
        let later = Fixture.now + .seconds(40)
        let facts = UpdateFacts()
        let table: [(LeaseRecord, LeaseUpdate, UpdateFacts, UpdateEffect, LeaseState, LeaseInstant)] = [
            (Fixture.record(.pending), Self.activation(90), facts, .keep, .active, Fixture.now + .seconds(90)),
            (Fixture.record(.active), Self.extending(200), facts, .keep, .active, Fixture.now + .seconds(200)),
            (Fixture.record(.active, uses: 1), .consumeUse, facts, .keep, .revoking, Fixture.now),
            (Fixture.record(.stuck), .rearm, facts, .freed, .revoking, Fixture.now),
            (Fixture.record(.quarantined), .rearm, facts, .freed, .revoking, Fixture.now),
            (
                Fixture.record(.revoking, isClaimed: true),
                .attempt(Fixture.claim, Fixture.failure, due: later, isStuck: true), facts, .stuck, .stuck, later
            ),
            (
                Fixture.record(.stuck, isClaimed: true),
                .attempt(Fixture.claim, Fixture.failure, due: later, isStuck: false), facts, .freed, .revoking, later
            ),
            (
                Fixture.record(.settling, isClaimed: true),
                .attempt(Fixture.claim, Fixture.failure, due: later, isStuck: true), facts, .keep, .settling, later
            ),
            (
                Fixture.record(.revoking, isClaimed: true), .end(Fixture.claim, until: later), facts, .ending,
                .ending, later
            ),
            (
                Fixture.record(.revoking, isClaimed: true), .remove(Fixture.claim, .revoked),
                UpdateFacts(hasChildren: true), .hollow(.revoked), .revoking, .distantFuture
            ),
            (
                Fixture.record(.active), .quarantine(nil, Fixture.failure), facts, .stuck, .quarantined,
                .distantFuture
            ),
        ]
        for (before, update, facts, effect, state, due) in table {
            var record = before
            #expect(record.apply(update, facts, Fixture.context()) == .success(effect))
            #expect(record.state == state)
            #expect(record.due == due)
            #expect(record.generation == before.generation + 1)
            #expect(record.operation == 77)
        }
    }

    @Test func removalKeepsTheLastState() {
        var record = Fixture.record(.revoking, isClaimed: true)
        let result = record.apply(.remove(Fixture.claim, .notOurs), UpdateFacts(), Fixture.context())
        #expect(result == .success(.remove(.notOurs)))
    }
}
