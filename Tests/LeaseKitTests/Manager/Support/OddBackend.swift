// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A backend that does what a test tells it to, call by call.
struct OddBackend: SecretBackend {
    typealias Request = String
    typealias Secret = String

    var kind = "odd/1"
    var abilities = BackendAbilities(isRenewable: true, endsByItself: true, settleTime: .seconds(1))
    var roleLimits = TTLLimits(ttl: .seconds(600), maximum: .seconds(3_600))
    var pathOf: @Sendable (String) throws -> String = { $0 }
    var handle: @Sendable (BackendCall) throws -> TextHandle = { TextHandle("odd-\($0.id)") }
    var onIssue: @Sendable (BackendCall) async throws -> Issued<String> = { _ in Issued("secret") }
    var learnt: TextHandle?
    var onRenew: @Sendable (BackendCall) async throws -> Renewed = { .until($0.expiresAt) }
    var onRevoke: @Sendable (BackendCall) async throws -> RevocationOutcome = { _ in .revoked }
    var onFingerprint: @Sendable () async throws -> String? = { nil }

    func path(for request: String) throws -> String { try pathOf(request) }
    func limits(at path: String) throws -> TTLLimits { roleLimits }
    func prepare(_ request: String, _ call: BackendCall) throws -> TextHandle { try handle(call) }

    func issue(_ request: String, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<String> {
        if let learnt { handle = learnt }
        return try await onIssue(call)
    }

    func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed { try await onRenew(call) }
    func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        try await onRevoke(call)
    }
    func fingerprint(_ call: BackendCall) async throws -> String? { try await onFingerprint() }
}

/// An error that no backend should throw.
struct ForeignError: Error {
    let text = "password=hunter2"
}
