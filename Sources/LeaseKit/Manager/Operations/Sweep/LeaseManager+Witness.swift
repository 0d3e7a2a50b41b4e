// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A credential at a target that bears this deployment's mark, and whether a lease names it.
typealias ListedCredential = (item: ErasedInventoryPage.Item, isKnown: Bool)

/// The target as a witness: credentials of ours that this store cannot have made tell of another copy of its table.
extension LeaseManager {
    /// What a page has of this deployment's.
    func ofOurs(_ page: ErasedInventoryPage) async throws -> [ListedCredential] {
        guard let deployment = ledger.opening.map(deployment) else { return [] }
        let ours = page.items.filter { $0.mark.deployment == deployment }
        let records = try await ledger.ask { try await $0.find(ours.map(\.mark.lease)) }
        return zip(ours, records).map { ($0, $1 != nil) }
    }

    /// Begins a hold-off when another copy made one of these.
    func noteWitnesses(_ ours: [ListedCredential]) {
        guard let opening = ledger.opening else { return }
        let isDoubtful = ours.contains {
            !$0.isKnown && opening.isMadeElsewhere($0.item, configuration.observationInterval)
        }
        if isDoubtful {
            beginHoldOff(.doubt(StoreDoubt("the target has credentials of this deployment that another copy made")))
        }
    }

    /// Looks once, before the first lease of a mount is ended by time, at what its target has: one page and no more.
    ///
    /// A hint and no proof: what one page does not show, a sweep finds. A target that cannot be reached is asked again with
    /// the next probe; one that refuses to list is not.
    func lookForWitnesses(at mount: MountRuntime) async {
        guard mount.awaitsWitnesses, let deployment = ledger.opening.map(deployment) else { return }
        let backend = mount.backend
        do {
            let call = try await managementCall(at: mount, timeout: mount.settings.renewTimeout)
            let page = try await question(mount, call) { try await backend.inventory(of: deployment, after: nil, call) }
            noteWitnesses(try await ofOurs(page))
            mount.awaitsWitnesses = false
        } catch let error as LeaseError where error.underlying is StoreError {
            // The store's trouble: it is looked at again when there is work again.
        } catch is CancellationError {
            // As above.
        } catch {
            let failure = BackendFailure(reading: error, during: .other)
            note(failure, at: mount)
            if failure.scope != .target { mount.awaitsWitnesses = false }
        }
    }
}

extension OpenedStore {
    /// Whether a credential that no lease names was made by another copy of the table.
    ///
    /// It is newer than anything this copy had seen when it was opened, and was made in a life that it never lived, or before it
    /// was opened and while it made nothing.
    ///
    /// - Parameter slack: How long a manager may have gone on after it wrote the time down last.
    func isMadeElsewhere(_ item: ErasedInventoryPage.Item, _ slack: Duration) -> Bool {
        guard let newest = observed?.time, let madeAt = item.madeAt, madeAt > newest + slack else { return false }
        return !livedEpochs.contains(item.mark.epoch) || madeAt <= openedAt
    }
}
