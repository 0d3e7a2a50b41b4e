// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A deliberate defect, to prove that the checker would notice it.
package enum Mutation: String, CaseIterable, Sendable {
    case none

    func prepare(_ target: InMemoryTarget) {}
    func time(_ time: VirtualTime) -> (any LeaseTime)? { nil }
    func store(_ store: AuditedStore) -> (any LeaseStore)? { nil }
}
