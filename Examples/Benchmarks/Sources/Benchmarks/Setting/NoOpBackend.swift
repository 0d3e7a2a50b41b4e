// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A backend that does nothing, as fast as it can: what is left is LeaseKit's own cost.
///
/// A request is a number; the numbers are spread over a thousand paths in ten groups.
struct NoOpBackend: SecretBackend {
    static let pathCount = 1_000
    static let groupCount = 10

    var style = BackendAbilities.CallStyle.immediate
    private let paths = (0..<pathCount).map { "group-\($0 % groupCount)/service-\($0 / groupCount)" }
    private let name = TextHandle(String(repeating: "x", count: 60))

    init(style: BackendAbilities.CallStyle = .immediate) { self.style = style }

    var kind: String { "no-op/1" }
    var abilities: BackendAbilities {
        BackendAbilities(isRenewable: true, endsByItself: true, callStyle: style, settleTime: .zero)
    }

    func path(for request: Int) throws -> String { paths[request % Self.pathCount] }
    func prepare(_ request: Int, _ call: BackendCall) throws -> TextHandle { name }
    func issue(_ request: Int, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<Void> {
        Issued(())
    }
    func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed { .until(call.expiresAt) }
    func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome { .revoked }
}
