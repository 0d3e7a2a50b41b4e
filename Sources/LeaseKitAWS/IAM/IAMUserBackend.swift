// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Leases of users of IAM: each has a user of its own with one key, which goes when the lease ends.
///
/// IAM knows no end of a key. So each user carries a policy that denies everything some time after the end of the lease; a
/// renewal moves it. It is in place before the key is made.
public final class IAMUserBackend: Sendable {
    let access: AWSAccess
    let options: IAMUserOptions
    let roles = Locked<[String: CheckedUserRole]>([:])
    /// Users that this process has seen go: for them, *not there* is not *not visible yet*.
    let ended = Locked(RecentNames())

    /// Makes a backend with roles by name.
    ///
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for a role that AWS would refuse.
    public init(
        _ access: AWSAccess,
        roles: [String: IAMUserRole] = [:],
        options: IAMUserOptions = IAMUserOptions()
    ) throws(AWSError) {
        try AWSLimits.check(name: options.namePrefix, of: "namePrefix", 1...24)
        if let slack = options.endSlack, slack < .zero {
            throw AWSError(.outOfBounds, "endSlack is below zero, and users would end before their leases: raise it")
        }
        self.access = access
        self.options = options
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) { try setRole(name, role) }
    }

    /// Adds or changes a role; nil takes it away.
    ///
    /// - Throws: ``AWSError`` with code ``AWSError/Code/outOfBounds`` for a role that AWS would refuse.
    public func setRole(_ name: String, _ role: IAMUserRole?) throws(AWSError) {
        guard let role else { return roles.withLock { $0[name] = nil } }
        let checked = try CheckedUserRole(role, name: name, hasDeadMan: options.endSlack != nil)
        roles.withLock { $0[name] = checked }
    }

    func role(at path: String) throws -> CheckedUserRole {
        let name = path.hasPrefix("creds/") ? String(path.dropFirst(6)) : ""
        guard let role = roles.withLock({ $0[name] }) else {
            throw LeaseError(.unknownRole, "there is no role at \"\(path)\"; add it with setRole(_:_:)")
        }
        return role
    }

    /// When the target ends a user whose lease ends at the call's end, by AWS's clock.
    func endAtTarget(_ call: BackendCall) -> LeaseInstant? {
        guard let slack = options.endSlack else { return nil }
        return access.tools.clock.now(access.tools.time.read()) + call.timeLeft + slack
    }

    static func end(of handle: IAMUserHandle, at instant: LeaseInstant) -> IAMCalls.Step {
        IAMCalls.putUserPolicy(handle.userName, DeadMan.name, DeadMan.document(endsAt: instant))
    }

    /// Whether AWS may not know yet of a user that was made.
    func mayBeInvisible(_ handle: IAMUserHandle, _ call: BackendCall) -> Bool {
        guard let madeAt = handle.madeAt, call.now < madeAt + options.visibilityTime else { return false }
        return !ended.withLock { $0.contains(handle.userName) }
    }

    static func notVisible(_ handle: IAMUserHandle) -> BackendFailure {
        BackendFailure(
            .transient,
            code: "notVisibleYet",
            "the user \(handle.userName) was just made and is not visible yet"
        )
    }
}

extension IAMUserBackend: SecretBackend {
    /// The kind of its handles.
    public var kind: String { "aws-iam-user/1" }

    /// Renewable, revocable, and ending by itself unless ``IAMUserOptions/endSlack`` is nil.
    public var abilities: BackendAbilities {
        BackendAbilities(
            isRenewable: true,
            endsByItself: options.endSlack != nil,
            settleTime: max(options.visibilityTime, .seconds(60))
        )
    }

    /// The role's path: `creds/` and its name.
    public func path(for request: String) throws -> String {
        _ = try role(at: "creds/\(request)")
        return "creds/\(request)"
    }

    /// The role's limits.
    public func limits(at path: String) throws -> TTLLimits { try role(at: path).role.limits }

    /// What hangs on a user of this role.
    public func roleVersion(at path: String) throws -> [UInt8] { try role(at: path).plan.bytes }

    /// Names the user after the role and the lease; only the role's part is cut.
    public func prepare(_ request: String, _ call: BackendCall) throws -> IAMUserHandle {
        let (path, role) = (LeaseTags.path(of: call.mark.deployment), try role(at: "creds/\(request)").role)
        // The epoch is a number of 20 digits at most.
        guard LeaseTags.escaped(call.mark.deployment).utf8.count <= AWSLimits.tagValue,
            path.utf8.count + 20 + role.path.utf8.count <= AWSLimits.path
        else {
            throw AWSError(
                .outOfBounds,
                "the deployment's name is too long for a tag (\(AWSLimits.tagValue) letters) or, with the role's path, for the path of "
                    + "a user (\(AWSLimits.path)); a letter outside A-Z a-z 0-9 - _ . takes three for each byte: shorten it"
            )
        }
        let room = AWSLimits.userName - options.namePrefix.utf8.count - call.id.text.utf8.count - 2
        let part = AWSLimits.name(request).prefix(max(0, room))
        return IAMUserHandle(
            userName: "\(options.namePrefix)-\(part)-\(call.id)",
            deployment: call.mark.deployment
        )
    }

    /// Says which account this is.
    public func fingerprint(_ call: BackendCall) async throws -> String? {
        do throws(AWSError) {
            return try await AWSIdentity.own(access.sts, until: access.deadline(of: call)).fingerprint
        } catch {
            throw error.failure()
        }
    }

    /// Moves the user's end.
    public func renew(_ handle: inout IAMUserHandle, _ call: BackendCall) async throws -> Renewed {
        guard handle.names(call.mark) else {
            throw BackendFailure(.denied, code: "notOurs", "the handle is of another lease")
        }
        let iam = IAMCalls(client: access.iam, deadline: access.deadline(of: call))
        do throws(AWSError) {
            if let end = endAtTarget(call) {
                try await iam.run(Self.end(of: handle, at: end))
            } else if try await iam.user(handle.userName) == nil {
                throw AWSError(.noSuchEntity, "the user is not there", action: "iam:GetUser")
            }
            return .until(call.expiresAt)
        } catch {
            if error.code == .noSuchEntity, mayBeInvisible(handle, call) { throw Self.notVisible(handle) }
            throw error.failure()
        }
    }
}

/// The newest names of a kind, up to a number.
struct RecentNames: Sendable {
    static let capacity = 4_096
    private var names: Set<String> = []
    private var order: [String] = []
    private var oldest = 0

    func contains(_ name: String) -> Bool { names.contains(name) }

    mutating func insert(_ name: String) {
        guard names.insert(name).inserted else { return }
        if order.count < Self.capacity {
            order.append(name)
        } else {
            names.remove(order[oldest])
            order[oldest] = name
            oldest = (oldest + 1) % Self.capacity
        }
    }
}
