// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension BackendCheck {
    @Sendable func inventory() async {
        guard let listing = backend as? any InventoryListing else { return }
        await check(.inventoryIsExact) {
            // Names of their own, so that what other checks have left does not show.
            let (ours, theirs) = ("\(deployment)-list", "\(stranger)-list")
            var made: [Made] = []
            for _ in 0..<5 { made.append(try await make(makeCall(deployment: ours))) }
            let foreign = try await make(makeCall(deployment: theirs))
            try await inspect(listing, of: ours, made, foreign: foreign)
        }
    }

    private func inspect<Listing: InventoryListing>(
        _ listing: Listing,
        of deployment: String,
        _ made: [Made],
        foreign: Made
    ) async throws {
        try await suite.untilListed?()
        let items = try await everything(listing, of: deployment)
        let marks = items.map(\.mark)
        let strangers = marks.filter { $0.deployment != deployment }
        expect(strangers.isEmpty, .inventoryLeavesOthersOut, "lists \(strangers.count) of another deployment")
        let own = marks.filter { $0.deployment == deployment }
        let expected = Set(made.map(\.call.mark))
        expect(Set(own) == expected, .inventoryIsExact, "lists \(Set(own).count) marks of \(expected.count)")
        expect(own.count == Set(own).count, .inventoryIsExact, "lists the same credential twice")
        let now = suite.time.read().wall
        let early = items.compactMap(\.madeAt).filter { $0 > now + suite.grace }
        expect(early.isEmpty, .inventoryIsExact, "lists a credential as made in the future")
        guard abilities.isRevocable, let first = items.first,
            let item = made.first(where: { $0.call.mark == first.mark })
        else { return }
        let handle = try Listing.Handle(handleBytes: first.handle.handleBytes)
        let outcome = try await listing.revoke(handle, later(item.call))
        expect(outcome == .revoked, .inventoryHandleIsEnough, "a listed handle ended nothing: \(outcome)")
        try await suite.untilListed?()
        let left = Set(try await everything(listing, of: deployment).map(\.mark))
        expect(!left.contains(first.mark), .inventoryIsExact, "still lists what was ended")
    }

    /// Every page; stops where no end is in sight.
    private func everything<Listing: InventoryListing>(
        _ listing: Listing,
        of deployment: String
    ) async throws -> [InventoryPage<Listing.Handle>.Item] {
        var items: [InventoryPage<Listing.Handle>.Item] = []
        var cursor: String?
        for _ in 0..<1_000 {
            let page = try await listing.inventory(of: deployment, after: cursor, makeCall(deployment: deployment))
            items += page.items
            guard let next = page.next else { return items }
            if next == cursor { break }
            cursor = next
        }
        breaks(.inventoryPagesEnd, "the pages do not come to an end")
        return items
    }

    @Sendable func batches() async {
        guard abilities.isRevocable, let batching = backend as? any BatchRevoking else { return }
        await check(.batchAnswersInOrder) { try await revokeBatch(batching) }
    }

    private func revokeBatch<Batching: BatchRevoking>(_ batching: Batching) async throws {
        expect(batching.batchLimit > 0, .batchAnswersInOrder, "the batch limit is \(batching.batchLimit)")
        let (first, foreign, last) = (
            try await make(makeCall()), try await make(makeCall()), try await make(makeCall())
        )
        let never = try makeCall()
        var foreignCall = later(foreign.call)
        foreignCall.mark.deployment = stranger
        let parts: [(Backend.Handle, BackendCall)] = [
            (first.handle, later(first.call)), (try backend.prepare(suite.request, never), never),
            (foreign.handle, foreignCall), (last.handle, later(last.call)),
        ]
        let items = try parts.map { handle, call in
            BatchItem(handle: try Batching.Handle(handleBytes: handle.handleBytes), call: call)
        }
        var outcomes: [RevocationOutcome?] = []
        // A backend may take fewer at once than there are here.
        for item in stride(from: 0, to: items.count, by: max(1, batching.batchLimit)) {
            let slice = Array(items[item..<min(items.count, item + max(1, batching.batchLimit))])
            let answers = await batching.revoke(slice)
            expect(
                answers.count == slice.count,
                .batchAnswersInOrder,
                "\(answers.count) answers to \(slice.count) items"
            )
            outcomes += answers.map { try? $0.get() }
        }
        let names = outcomes.map { $0.map { "\($0)" } ?? "an error" }.joined(separator: ", ")
        let isRight =
            outcomes.count == 4 && outcomes[0] == .revoked && outcomes[1].map(Self.isGone) == true
            && outcomes[2] == .notOurs && outcomes[3] == .revoked
        expect(isRight, .batchAnswersInOrder, "revoked, gone, not ours, revoked were due; it answered \(names)")
    }
}
