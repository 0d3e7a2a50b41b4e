// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension STSBackend {
    /// What is left of a session's time is not worth a call: it takes AWS seconds to know of a denial everywhere.
    static let shortest = Duration.seconds(5)

    /// Denies a session everything, or says why that cannot be done.
    func deny(
        _ handle: STSHandle,
        _ denial: STSHandle.Denial,
        _ call: BackendCall
    ) async throws(AWSError) -> RevocationOutcome {
        let denials = self.denials(of: denial)
        // Named by this process, which remembers what it has asked for.
        let isOwn = handle.sessionName.hasPrefix("\(process(of: denial.deployment))-")
        if denials.isDenied(call.id) || (isOwn && !denials.knows(call.id)) { return .alreadyGone }
        let deadline = access.deadline(of: call)
        if let obstacle = try await obstacle(of: denial.roleARN, deadline) {
            note(denial.roleARN, obstacle)
            return .endsByItself(at: handle.endsAt)
        }
        denials.deny(call.id, endsAt: second(now + call.now.duration(to: handle.endsAt)) + 1)
        await denials.gate.enter()
        defer { denials.gate.leave() }
        // Somebody who came earlier may have written it, too.
        if denials.isDenied(call.id) { return .revoked }
        if let obstacle = try await write(denials, denial, deadline) {
            note(denial.roleARN, obstacle)
            denials.giveUp(call.id, at: second(now))
            return .endsByItself(at: handle.endsAt)
        }
        await clearUp(denials, denial, deadline)
        return .revoked
    }

    /// Writes the policy of this process; answers why it cannot be written, if it never can.
    private func write(
        _ denials: RoleDenials,
        _ denial: STSHandle.Denial,
        _ deadline: Duration
    ) async throws(AWSError) -> String? {
        let process = process(of: denial.deployment)
        for isTight in [false, true] {
            guard let writing = denials.writing(at: second(now), process: process, isTight: isTight) else {
                return Self.isFull
            }
            do throws(AWSError) {
                try await put(writing.text, policy(writing.number, denial.deployment), denial.roleARN, deadline)
                denials.confirm(writing)
                note(denial.roleARN, nil)
                return nil
            } catch {
                if error.mayHaveBeenDone { denials.doubt(writing) }
                guard let obstacle = Self.obstacle(in: error) else { throw Self.explainedDenial(error) }
                // Too much for the role: shorter, it may fit.
                if error.code != .limitExceeded || isTight { return obstacle }
            }
        }
        return Self.isFull
    }

    private static let isFull =
        "the policies of the role have no room for more denials (\(DenialPolicy.mostBytes) characters): move some of the role's own "
        + "into managed ones, or issue shorter sessions"

    /// What will not change by trying again.
    private static func obstacle(in error: AWSError) -> String? {
        switch error.code {
        case .limitExceeded: isFull
        case "UnmodifiableEntity": "AWS looks after this role and lets nobody change its policies: assume another one"
        case .noSuchEntity: "there is no such role any more"
        default: nil
        }
    }

    static func explainedDenial(_ error: AWSError) -> AWSError {
        guard error.code == .accessDenied else { return error }
        return AWSError(
            error.code,
            "\(error.message): allow LeaseKit's own credentials iam:PutRolePolicy on the role, or leave out the role's revocation",
            action: error.action,
            status: error.status,
            requestID: error.requestID
        )
    }

    /// Tried again only when it cannot have been done: a late writing would overwrite the next one.
    func put(_ text: String, _ policy: String, _ roleARN: String, _ deadline: Duration) async throws(AWSError) {
        let parameters = Self.role(roleARN) + [("PolicyName", policy), ("PolicyDocument", text)]
        _ = try await access.iam.call("PutRolePolicy", parameters, until: deadline, isRepeatable: false)
    }

    /// Why nobody here can change a role's policies, as far as its name says.
    func obstacle(of roleARN: String, _ deadline: Duration) async throws(AWSError) -> String? {
        let own = try await identity(of: try await access.ownCredentials(), deadline)
        guard let role = AWSIdentity(arn: roleARN), role.fingerprint == own.fingerprint else {
            return
                "the role is in another account than LeaseKit's own (\(own.fingerprint)), which cannot change its policies: "
                + "give a manager of that account the mount"
        }
        return nil
    }

    private func note(_ roleARN: String, _ obstacle: String?) {
        notes.withLock { $0[roleARN] = STSRevocability(roleARN: roleARN, obstacle: obstacle) }
    }

    // MARK: Names

    static func role(_ arn: String) -> IAMCalls.Parameters {
        [("RoleName", String(arn.split(separator: "/").last ?? ""))]
    }

    /// What the policies of a deployment begin with.
    static func policies(of deployment: String) -> String {
        let digest = (try? SHA256Hash.digest(Array(deployment.utf8))) ?? []
        return "leasekit-denials-\(digits(digest.prefix(4)))-"
    }

    /// This process's policy of a number: never one of another process.
    func policy(_ number: Int, _ deployment: String) -> String {
        "\(Self.policies(of: deployment))\(tag(of: deployment))-\(number)"
    }

    /// What every session that this process makes for a deployment has in its name, and nobody else's.
    func process(of deployment: String) -> String { "\(namePrefix)-\(tag(of: deployment))" }

    private func tag(of deployment: String) -> String {
        let digest = (try? SHA256Hash.digest(birth + Array(deployment.utf8))) ?? birth
        return Self.digits(digest.prefix(4))
    }

    private static func digits(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// What time it is at AWS.
    var now: LeaseInstant { access.tools.clock.now(access.tools.time.read()) }
    func second(_ instant: LeaseInstant) -> Int64 { instant.wholeSecondsSinceEpoch }
}
