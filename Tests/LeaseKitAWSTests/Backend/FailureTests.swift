// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitAWS

/// What the manager makes of each error of AWS.
@Suite struct FailureTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String { "\(code), \(status.map(String.init) ?? "none")\(isLost ? ", lost" : "")" }
        let code: AWSError.Code
        var status: Int?
        var isLost = false
        let kind: BackendFailure.Kind
        let scope: BackendFailure.Scope
    }

    static let rows = [
        Row(code: .noSuchEntity, status: 404, kind: .gone, scope: .lease),
        Row(code: .deleteConflict, status: 409, kind: .transient, scope: .lease),
        Row(code: .limitExceeded, status: 409, kind: .denied, scope: .lease),
        Row(code: .accessDenied, status: 403, kind: .denied, scope: .lease),
        Row(code: "MalformedPolicyDocument", status: 400, kind: .denied, scope: .lease),
        Row(code: "ConcurrentModification", status: 409, kind: .transient, scope: .lease),
        Row(code: "Throttling", status: 400, kind: .transient, scope: .target),
        Row(code: "InvalidClientTokenId", status: 403, kind: .denied, scope: .target),
        Row(code: "ExpiredToken", status: 403, kind: .denied, scope: .target),
        Row(code: .noCredentials, kind: .denied, scope: .target),
        Row(code: .unreachable, kind: .transient, scope: .target),
        Row(code: .noAnswer, isLost: true, kind: .ambiguous, scope: .target),
        Row(code: .unreadableAnswer, status: 200, isLost: true, kind: .ambiguous, scope: .target),
        Row(code: "ServiceFailure", status: 500, isLost: true, kind: .ambiguous, scope: .target),
        Row(code: .outOfTime, kind: .transient, scope: .lease),
        Row(code: .outOfTime, isLost: true, kind: .ambiguous, scope: .lease),
        Row(code: .outOfBounds, kind: .denied, scope: .lease),
        Row(code: "SomethingNew", status: 400, kind: .denied, scope: .lease),
    ]

    @Test(arguments: rows) func hasItsKindAndScope(_ row: Row) {
        let error = AWSError(row.code, "why", action: "iam:X", status: row.status, mayHaveBeenDone: row.isLost)
        let failure = error.failure()
        #expect(failure.kind == row.kind && failure.scope == row.scope)
        #expect(failure.code == row.code.text && failure.message == "iam:X: why")
    }

    @Test func whatARoleNamesAndIsNotThereIsNoLostCredential() {
        #expect(AWSError(.noSuchEntity, "why", status: 404).failure(missing: .denied).kind == .denied)
    }

    @Test func aServiceThatIsBusyIsLeftAlone() {
        #expect(AWSError("Throttling", "why").failure().retryAfter == .seconds(5))
        #expect(AWSError("Throttling", "why", retryAfter: .seconds(9)).failure().retryAfter == .seconds(9))
    }
}
