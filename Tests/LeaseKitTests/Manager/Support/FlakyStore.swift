// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// A store whose answers get lost, or that cannot be reached, when a test says so.
final class FlakyStore: ForwardingLeaseStore, @unchecked Sendable {
    /// What goes wrong with one call.
    enum Fault: Sendable {
        case refused, unavailable
        /// Done, and the answer is lost.
        case doneAndLost
        /// Not done, and nobody knows.
        case lost

        fileprivate var fault: StoreFault {
            switch self {
            case .refused: .failBefore(StoreError(.refused, "the disk is full; make room"))
            case .unavailable: .failBefore(StoreError(.unavailable, "the store cannot be reached; try again"))
            case .doneAndLost: .failAfter(StoreError(.unknown, "the answer was lost"))
            case .lost: .failBefore(StoreError(.unknown, "the request was lost"))
            }
        }
    }

    /// The calls that can go wrong.
    enum Call: Hashable, Sendable {
        case insert, activate, handOver, extend, remove, place, claim, open, mounts, find, orders, adopt

        fileprivate init?(_ call: StoreCall) {
            switch (call.kind, call.changes.first) {
            case (_, .insert?): self = .insert
            case (_, .update(_, .activate)?): self = .activate
            case (_, .update(_, .handOver)?): self = .handOver
            case (_, .update(_, .extend)?): self = .extend
            case (_, .update(_, .remove)?): self = .remove
            case (.place, _): self = .place
            case (.claimDue, _): self = .claim
            case (.open, _): self = .open
            case (.mounts, _): self = .mounts
            case (.find, _): self = .find
            case (.orders, _): self = .orders
            case (.adopt, _): self = .adopt
            default: return nil
            }
        }
    }

    /// What a test decides.
    final class Script: Sendable {
        private let faults = Locked<[Call: [Fault]]>([:])

        func next(_ call: Call, _ faults: Fault...) { self.faults.withLock { $0[call, default: []] += faults } }

        fileprivate func take(_ call: StoreCall) -> StoreFault? {
            guard let call = Call(call) else { return nil }
            return faults.withLock { $0[call]?.isEmpty == false ? $0[call]?.removeFirst().fault : nil }
        }
    }

    init(store: any LeaseStore, script: Script) {
        super.init(FaultyLeaseStore(store) { script.take($0) })
    }
}
