// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite("Lease cause") struct LeaseCauseTests {
    @Test func equalCausesAreTheSame() {
        let plain = LeaseCause(.requested)
        let asked = LeaseCause(.requested, actor: "ops", requestID: "r-1")
        #expect(plain == LeaseCause(.requested, actor: nil, requestID: nil))
        #expect(asked == LeaseCause(.requested, actor: "ops", requestID: "r-1"))
        #expect(Set([plain, asked, LeaseCause(.requested, actor: "ops", requestID: "r-1"), plain]).count == 2)
        for other in [
            plain, LeaseCause(.expired, actor: "ops", requestID: "r-1"), LeaseCause(.requested, actor: "ops"),
            LeaseCause(.requested, requestID: "r-1"), LeaseCause(.requested, actor: "dev", requestID: "r-1"),
        ] {
            #expect(asked != other, "\(other)")
        }
    }

    /// A cause is a value: what is changed in one stays as it was in its copies.
    @Test func changingACopyChangesNothingElse() {
        var cause = LeaseCause(.requested)
        cause.actor = "ops"
        let copy = cause
        cause.requestID = "r-1"
        #expect(cause == LeaseCause(.requested, actor: "ops", requestID: "r-1"))
        #expect(copy == LeaseCause(.requested, actor: "ops"))
        cause.actor = nil
        cause.requestID = nil
        #expect(cause == LeaseCause(.requested))
        #expect(copy.actor == "ops" && copy.requestID == nil)
    }
}
