// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A backend for tests: makes, extends and ends users of an ``InMemoryTarget``.
///
/// It keeps every promise that a backend gives, whatever the target does: calls end by their deadline on the injected
/// time, failures are classified, only what bears the call's mark is ended, ends are absolute.
///
/// With `BackendAbilities.CallStyle.immediate` it never waits: what would have to be waited for counts as timed out at
/// once.
public final class InMemoryBackend: Sendable {
    /// The target that it works on.
    public let target: InMemoryTarget
    /// What it says it can do, and does.
    public let abilities: BackendAbilities
    /// The time on which its calls wait.
    public let time: any LeaseTime
    /// How long behind the lease's end the target ends the credential by itself.
    public let slack: Duration
    /// How many credentials a page of the inventory has at most.
    public let pageSize: Int
    /// Which way it reaches the target, for partitions that cut off only some.
    public let link: String
    /// Whether it can tell that nothing is in flight any more, and then answers *proven gone*.
    public let provesGone: Bool
    let roles: Locked<[String: InMemoryRole]>
    let entropy: LeaseEntropy
    let crash: @Sendable (CrashStep) async throws -> Void

    /// Makes a backend.
    ///
    /// `entropy` gives the passwords; a test that replays brings a seeded one. `crash` is called at each ``CrashStep``
    /// and may throw, or never return.
    public init(
        target: InMemoryTarget,
        time: any LeaseTime,
        roles: [String: InMemoryRole] = ["app": InMemoryRole()],
        abilities: BackendAbilities = BackendAbilities(isRenewable: true, endsByItself: true),
        slack: Duration = .seconds(30),
        pageSize: Int = 100,
        link: String = "",
        provesGone: Bool = false,
        entropy: LeaseEntropy = .system,
        crash: @escaping @Sendable (CrashStep) async throws -> Void = { _ in }
    ) {
        self.target = target
        self.time = time
        self.roles = Locked(roles)
        self.abilities = abilities
        self.slack = slack
        self.pageSize = max(1, pageSize)
        self.link = link
        self.provesGone = provesGone
        self.entropy = entropy
        self.crash = crash
    }

    /// Adds or changes a role; nil takes it away.
    public func setRole(_ name: String, _ role: InMemoryRole?) { roles.withLock { $0[name] = role } }

    func role(at path: String) throws -> (name: String, role: InMemoryRole) {
        let name = path.hasPrefix("creds/") ? String(path.dropFirst(6)) : ""
        guard let role = roles.withLock({ $0[name] }) else {
            throw LeaseError(.unknownRole, "there is no role at \"\(path)\"; add it with setRole(_:_:)")
        }
        return (name, role)
    }
}

extension InMemoryBackend: SecretBackend {
    /// The kind of its handles.
    public var kind: String { "in-memory/1" }

    /// The role's path: `creds/` and its name.
    public func path(for request: InMemoryRequest) throws -> String {
        let path = "creds/\(request.role)"
        _ = try role(at: path)
        return path
    }

    /// The role's limits.
    public func limits(at path: String) throws -> TTLLimits { try role(at: path).role.limits }

    /// The role's version.
    public func roleVersion(at path: String) throws -> [UInt8] { try role(at: path).role.version }

    /// Names the credential after the deployment and the lease.
    public func prepare(_ request: InMemoryRequest, _ call: BackendCall) throws -> InMemoryHandle {
        InMemoryHandle(name: "\(call.mark.deployment)-\(call.id)")
    }

    /// Makes the user, with a password that nobody else has.
    public func issue(
        _ request: InMemoryRequest,
        as handle: inout InMemoryHandle,
        _ call: BackendCall
    ) async throws -> Issued<FakeCredential> {
        let (name, role) = try role(at: "creds/\(request.role)")
        guard call.timeLeft > .zero else {
            throw BackendFailure(.transient, code: "over", "the lease would be over before it begins")
        }
        let password = "pw~\(LeaseID.random(using: entropy))"
        let life = abilities.endsByItself ? min(call.timeLeft + slack, role.longestLife ?? .seconds(Int64.max)) : nil
        let body = TargetRequest.Body.make(role: name, password: password, life: life)
        guard case .made(let made) = try await exchange(.issue, handle, body, call).reply else { throw Self.confused }
        handle.number = made.number
        let isCut = abilities.endsByItself && role.longestLife.map { $0 < call.timeLeft } ?? false
        let issued = FakeCredential(username: handle.name, password: password)
        return Issued(issued, expiresAt: isCut ? role.longestLife.map { call.now + $0 } : nil)
    }

    /// Moves the user's end.
    public func renew(_ handle: inout InMemoryHandle, _ call: BackendCall) async throws -> Renewed {
        guard abilities.isRenewable else { return .refused("this backend was made without renewal") }
        let longest = try role(at: call.rolePath).role.longestLife
        let life = abilities.endsByItself ? call.timeLeft + slack : nil
        let (reply, arrivedAt) = try await exchange(.renew, handle, .move(life: life, longest: longest), call)
        guard case .moved(let end) = reply else { throw Self.confused }
        guard let end else { return .until(call.expiresAt) }
        return .until(min(call.expiresAt, call.now + arrivedAt.duration(to: end)))
    }

    /// Ends the user, if it is ours.
    public func revoke(_ handle: InMemoryHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        let body = TargetRequest.Body.end(isRevocable: abilities.isRevocable)
        let (reply, arrivedAt) = try await exchange(.revoke, handle, body, call)
        switch reply {
        case .ended: return .revoked
        case .nothingThere(let isProven): return isProven && provesGone ? .provenGone : .alreadyGone
        case .notOurs: return .notOurs
        case .endsAt(let end?): return .endsByItself(at: call.now + arrivedAt.duration(to: end))
        case .endsAt(nil): return .endsByItself(at: .distantFuture)
        default: throw Self.confused
        }
    }

    /// Says which target answers.
    public func fingerprint(_ call: BackendCall) async throws -> String? {
        guard case .fingerprint(let text) = try await exchange(.fingerprint, nil, .identify, call).reply else {
            throw Self.confused
        }
        return text
    }

    static let confused = BackendFailure(.ambiguous, code: "confused", "the target answered something else")
}
