// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting

/// What goes wrong with the next calls to a store, as a test decides.
final class StoreScript: Sendable {
    /// What goes wrong with one call.
    enum Fault: Sendable {
        case refused, unavailable
        /// Done, and the answer is lost.
        case doneAndLost
        /// Not done, and nobody knows.
        case lost

        var fault: StoreFault {
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
        case insert, activate, handOver, extend, remove
        case other(StoreCall.Kind)

        init(_ call: StoreCall) {
            self =
                switch call.changes.first {
                case .insert?: .insert
                case .update(_, .activate)?: .activate
                case .update(_, .handOver)?: .handOver
                case .update(_, .extend)?: .extend
                case .update(_, .remove)?: .remove
                default: .other(call.kind)
                }
        }
    }

    private let faults = Locked<[Call: [Fault]]>([:])

    /// Adds what goes wrong with the next calls of one sort.
    func next(_ call: Call, _ faults: Fault...) { self.faults.withLock { $0[call, default: []] += faults } }

    /// A store on which it goes wrong.
    func store(_ base: any LeaseStore) -> any LeaseStore {
        FaultyLeaseStore(base) { call in
            self.faults.withLock { faults in
                let call = Call(call)
                return faults[call]?.isEmpty == false ? faults[call]?.removeFirst().fault : nil
            }
        }
    }
}
