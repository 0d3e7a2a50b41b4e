// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One scripted rule.
struct ConformanceRule: Sendable {
    let name: String
    let check: @Sendable (ConformanceBench) async throws -> Void

    init(_ name: String, _ check: @escaping @Sendable (ConformanceBench) async throws -> Void) {
        self.name = name
        self.check = check
    }

    /// Every scripted rule.
    static let all = insertion + change + worker + order + reading + life
}
