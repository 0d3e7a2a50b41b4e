// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The steps of a process's work at which it can be made to die: each backend call and each write to its store, before it,
/// with the answer on its way, and when it is there.
enum ProcessStep {
    static let all = backend + store

    private static let backend = CrashStep.all.map(\.description)
    private static let store = (changes + calls).flatMap { ["store.\($0).before", "store.\($0).after"] }

    private static let changes = ["insert", "activate", "handOver", "extend", "settle", "attempt", "remove"]
    private static let calls = [StoreCall.Kind.place, .expand, .claimDue, .record, .register, .adopt].map(\.rawValue)

    /// What a call that applies changes is called.
    static func name(of changes: [LeaseChange]) -> String {
        switch changes.first {
        case .insert?: "insert"
        case .update(_, let update)?: String(update.word.prefix { $0 != "(" })
        case nil: "nothing"
        }
    }
}
