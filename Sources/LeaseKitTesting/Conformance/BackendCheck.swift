// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// One run of the conformance suite: what it has made, and what it has found.
struct BackendCheck<Backend: SecretBackend>: Sendable {
    typealias Violation = BackendConformanceFailure.Violation

    /// Something that the run has made, or tried to.
    struct Made: Sendable {
        let prepared: Backend.Handle
        var handle: Backend.Handle
        let call: BackendCall
        let issued: Issued<Backend.Secret>
    }

    struct Notes: Sendable {
        var violations: [Violation] = []
        var leftovers: [(handle: Backend.Handle, call: BackendCall)] = []
        var target: String?
    }

    let suite: SecretBackendConformance<Backend>
    let deployment: String
    let stranger: String
    let notes = Locked(Notes())

    init(_ suite: SecretBackendConformance<Backend>) {
        self.suite = suite
        let run = LeaseID.random(using: suite.entropy).text.prefix(8)
        deployment = "check-\(run)"
        stranger = "other-\(run)"
    }

    var backend: Backend { suite.backend }
    var abilities: BackendAbilities { suite.backend.abilities }
    var found: [Violation] { notes.withLock { $0.violations } }

    func breaks(_ rule: BackendRule, _ detail: String) {
        notes.withLock { $0.violations.append(Violation(rule: rule, detail: detail)) }
    }

    func expect(_ holds: Bool, _ rule: BackendRule, _ detail: @autoclosure () -> String) {
        if !holds { breaks(rule, detail()) }
    }

    /// Runs a check; an error that it does not expect breaks the rule too.
    func check(_ rule: BackendRule, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            breaks(rule, "threw \(describe(error))")
        }
    }

    /// An error for a report: of a foreign one only its type, since its text may hold anything.
    func describe(_ error: any Error) -> String {
        switch error {
        case let failure as BackendFailure: "a BackendFailure (\(failure.kind)), \(failure)"
        case let error as LeaseError: "a LeaseError, \(error)"
        default: "a \(type(of: error))"
        }
    }

    /// A call for a new lease, or for a given one.
    func makeCall(
        _ id: LeaseID? = nil,
        deployment: String? = nil,
        expiresIn: Duration? = nil,
        timeout: Duration? = nil,
        attempt: Int = 0
    ) throws -> BackendCall {
        let id = id ?? LeaseID.random(using: suite.entropy)
        let now = suite.time.read().wall
        let rolePath = try backend.path(for: suite.request)
        return BackendCall(
            id: id,
            path: LeasePath.join("conformance", rolePath),
            rolePath: rolePath,
            mark: LeaseMark(deployment: deployment ?? self.deployment, lease: id, epoch: 1),
            now: now,
            expiresAt: now + (expiresIn ?? suite.leaseLength),
            deadline: now + (timeout ?? suite.callTimeout),
            attempt: attempt,
            role: try backend.roleVersion(at: rolePath),
            target: notes.withLock { $0.target }
        )
    }

    /// The same lease in a later call.
    func later(_ call: BackendCall, expiresIn: Duration? = nil, timeout: Duration? = nil) -> BackendCall {
        var call = call
        call.now = suite.time.read().wall
        if let expiresIn { call.expiresAt = call.now + expiresIn }
        call.deadline = call.now + (timeout ?? suite.callTimeout)
        return call
    }

    /// Makes a credential and remembers to end it.
    func make(_ call: BackendCall) async throws -> Made {
        let prepared = try backend.prepare(suite.request, call)
        var handle = prepared
        notes.withLock { $0.leftovers.append((prepared, call)) }
        let issued = try await backend.issue(suite.request, as: &handle, call)
        return Made(prepared: prepared, handle: handle, call: call, issued: issued)
    }

    func isUsable(_ made: Made) async throws -> Bool? { try await suite.isUsable?(made.issued.secret) }

    func readBack(_ handle: Backend.Handle) throws -> Backend.Handle {
        try Backend.Handle(handleBytes: handle.handleBytes)
    }

    static func isGone(_ outcome: RevocationOutcome) -> Bool { outcome == .alreadyGone || outcome == .provenGone }

    func adoptFingerprint() async {
        await check(.fingerprintIsStable) {
            let first = try await backend.fingerprint(makeCall())
            let second = try await backend.fingerprint(makeCall())
            expect(first == second, .fingerprintIsStable, "\(first ?? "nil") became \(second ?? "nil")")
            notes.withLock { $0.target = first }
        }
    }

    /// Ends everything that was made.
    ///
    /// Failures were reported where they matter.
    func cleanUp() async {
        let leftovers = notes.withLock { notes in
            defer { notes.leftovers = [] }
            return notes.leftovers
        }
        for (handle, call) in leftovers { _ = try? await backend.revoke(handle, later(call)) }
    }
}
