// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension LeaseManager {
    /// Places a backend at a path once its admin can make and end the credentials of every role.
    ///
    /// ``PostgresBackend/preflight(timeout:)`` and a plain `mount` in one. An application that is to start although its database
    /// is down mounts plainly: each role is then checked before its first issue.
    ///
    /// - Throws: `LeaseError` with everything that the admin lacks in its message, `BackendFailure` when the server cannot be
    ///   reached, and what `mount` throws.
    public func mountChecked(
        _ backend: PostgresBackend,
        at path: String,
        _ settings: MountSettings = MountSettings(),
        timeout: Duration = .seconds(30)
    ) async throws -> Mount<PostgresRequest, PostgresCredential> {
        try await backend.preflight(timeout: timeout).requireReady()
        return try await mount(backend, at: path, settings)
    }
}
