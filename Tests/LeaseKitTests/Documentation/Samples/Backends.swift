// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

// sample: account-server
/// The client of the target system, as its vendor wrote it.
protocol AccountServer: Sendable {
    func create(_ name: String, password: String, comment: String, endsAt: LeaseInstant) async throws
    func setEnd(of name: String, to end: LeaseInstant) async throws
    func comment(of name: String) async throws -> String?
    func delete(_ name: String) async throws
    func serverID() async throws -> String
}

enum AccountServerError: Error {
    case unreachable, timedOut, noSuchAccount, notAllowed
}
// end sample

// sample: account-backend
struct AccountBackend: SecretBackend {
    let server: any AccountServer
    let roles: [String: TTLLimits]

    var kind: String { "accounts/1" }

    var abilities: BackendAbilities {
        BackendAbilities(isRenewable: true, endsByItself: true, settleTime: .seconds(60))
    }

    func path(for role: String) throws -> String {
        _ = try limits(at: "creds/\(role)")
        return "creds/\(role)"
    }

    func limits(at path: String) throws -> TTLLimits {
        guard let limits = roles[String(path.dropFirst("creds/".count))] else {
            throw LeaseError(.unknownRole, "there is no role at \"\(path)\"; add it to the configuration")
        }
        return limits
    }
}
// end sample

// sample: account-issue
struct Account: Sendable {
    let name: String
    let password: SecretText
}

extension AccountBackend {
    func prepare(_ role: String, _ call: BackendCall) throws -> TextHandle {
        // The whole id: what is cut off could be what tells two leases apart.
        TextHandle("\(role.prefix(8))-\(call.id)")
    }

    func issue(_ role: String, as handle: inout TextHandle, _ call: BackendCall) async throws -> Issued<Account> {
        guard call.timeLeft > .zero, call.timeout > .zero else {
            throw BackendFailure(.transient, "it is too late to make an account")
        }
        var random = SystemRandomNumberGenerator()
        let password = (0..<4).map { _ in String(random.next(), radix: 36) }.joined()
        try await classified {
            try await server.create(
                handle.text,
                password: password,
                comment: comment(call.mark),
                endsAt: call.expiresAt + .seconds(30)
            )
        }
        return Issued(Account(name: handle.text, password: SecretText(password)))
    }

    private func comment(_ mark: LeaseMark) -> String { "leasekit:\(mark.deployment):\(mark.lease):\(mark.epoch)" }
}
// end sample

// sample: account-end
extension AccountBackend {
    func renew(_ handle: inout TextHandle, _ call: BackendCall) async throws -> Renewed {
        try await classified { try await server.setEnd(of: handle.text, to: call.expiresAt + .seconds(30)) }
        return .until(call.expiresAt)
    }

    func revoke(_ handle: TextHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        try await classified {
            guard let found = try await server.comment(of: handle.text) else { return .alreadyGone }
            guard found == comment(call.mark) else { return .notOurs }
            try await server.delete(handle.text)
            return .revoked
        }
    }

    func fingerprint(_ call: BackendCall) async throws -> String? {
        try await classified { try await server.serverID() }
    }
}
// end sample

// sample: account-failures
extension AccountBackend {
    private func classified<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch AccountServerError.unreachable {
            throw BackendFailure(.transient, scope: .target, "the account server cannot be reached")
        } catch AccountServerError.timedOut {
            throw BackendFailure(.ambiguous, "the account server did not answer in time")
        } catch AccountServerError.noSuchAccount {
            throw BackendFailure(.gone, "there is no such account")
        } catch AccountServerError.notAllowed {
            throw BackendFailure(.denied, code: "notAllowed", "the administrator's account may not do this; grant it")
        }
    }
}
// end sample

private actor FakeAccountServer: AccountServer {
    private var accounts: [String: (comment: String, password: String)] = [:]
    private var isReachable = true
    func setReachable(_ isReachable: Bool) { self.isReachable = isReachable }

    private func check() throws { if !isReachable { throw AccountServerError.unreachable } }

    func create(_ name: String, password: String, comment: String, endsAt: LeaseInstant) async throws {
        try check()
        accounts[name] = (comment, password)
    }
    func setEnd(of name: String, to end: LeaseInstant) async throws {
        try check()
        if accounts[name] == nil { throw AccountServerError.noSuchAccount }
    }
    func comment(of name: String) async throws -> String? {
        try check()
        return accounts[name]?.comment
    }
    func delete(_ name: String) async throws {
        try check()
        accounts[name] = nil
    }
    func serverID() async throws -> String { "server-1" }
    var count: Int { accounts.count }

    func canLogIn(_ account: Account) -> Bool {
        account.password.withText { accounts[account.name]?.password == $0 }
    }
}

@Suite struct BackendSamples {
    @Test(.timeLimit(.minutes(1))) func lives() async throws {
        let server = FakeAccountServer()
        let backend = AccountBackend(server: server, roles: ["app": TTLLimits(ttl: .seconds(600))])
        let settings = MountSettings(probeInterval: .milliseconds(50))
        try await withLeaseManager { manager in
            let accounts = try await manager.mount(backend, at: "accounts", settings)
            let lease = try await accounts.issue("app")
            #expect(await server.count == 1)
            #expect(try await accounts.renew(lease.id).boundBy == .role)
            #expect(try await accounts.revoke(lease.id).revoked == 1)
            #expect(await server.count == 0)
            await #expect(throws: LeaseError(.unknownRole, "")) { _ = try await accounts.issue("other") }
            await server.setReachable(false)
            await #expect(throws: LeaseError(.targetUnavailable, "")) { _ = try await accounts.issue("app") }
            await server.setReachable(true)
        }
        #expect(await server.count == 0)
    }

    // sample: backend-conformance
    @Test(.timeLimit(.minutes(1))) func accountsConform() async throws {
        let server = FakeAccountServer()
        let backend = AccountBackend(server: server, roles: ["app": TTLLimits(ttl: .seconds(600))])
        var suite = SecretBackendConformance(backend, request: "app", time: SystemTime())
        suite.isUsable = { account in await server.canLogIn(account) }
        suite.secretBytes = { account in account.password.withBytes { Array($0) } }
        suite.unknownRequest = "nobody"
        try await suite.run()
    }
    // end sample
}
