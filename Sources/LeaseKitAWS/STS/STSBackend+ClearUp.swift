// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension STSBackend {
    /// Removes denials whose sessions are over: those of this process, and now and then those that earlier ones have left.
    ///
    /// They do no harm but take room. So nothing that fails here is an error, and the next time will do.
    func clearUp(_ denials: RoleDenials, _ denial: STSHandle.Denial, _ deadline: Duration) async {
        let deadline = min(deadline, access.tools.time.read().continuous + .seconds(10))
        let iam = IAMCalls(client: access.iam, deadline: deadline)
        let spent = denials.takeSpent(at: second(now))
        for (place, number) in spent.enumerated() {
            do throws(AWSError) {
                try await remove(policy(number, denial.deployment), denial.roleARN, iam)
            } catch {
                denials.putBack(spent[place...], at: second(now))
                break
            }
        }
        guard denials.isLookDue(at: second(now)) else { return }
        let role = Self.role(denial.roleARN)
        guard let found = try? await iam.pages("ListRolePolicies", role, "PolicyNames") else { return }
        let own = policy(0, denial.deployment).dropLast()
        for name in found.map(\.text) where name.hasPrefix(Self.policies(of: denial.deployment)) && !name.hasPrefix(own)
        {
            guard let lapsesAt = try? await lapse(of: name, role, iam) else { continue }
            // Nobody adds to a policy that has lapsed; an hour on, whatever was on its way then has arrived.
            if lapsesAt + 3_600 <= second(now) { try? await remove(name, denial.roleARN, iam) }
        }
    }

    /// After an issue: at a quiet time there is nobody else to clear up.
    func clearUpIfDue(_ denial: STSHandle.Denial, _ deadline: Duration) async {
        let denials = self.denials(of: denial)
        guard denials.hasSpent(at: second(now)) else { return }
        await denials.gate.enter()
        defer { denials.gate.leave() }
        await clearUp(denials, denial, deadline)
    }

    private func lapse(
        of policy: String,
        _ role: IAMCalls.Parameters,
        _ iam: IAMCalls
    ) async throws(AWSError) -> Int64? {
        let reply = try await iam.client.call("GetRolePolicy", role + [("PolicyName", policy)], until: iam.deadline)
        guard let encoded = reply.result.text("PolicyDocument"), let text = PercentCoding.decoded(encoded) else {
            return nil
        }
        return DenialPolicy.lapse(of: try PolicyDocument(text, policy))
    }

    private func remove(_ policy: String, _ roleARN: String, _ iam: IAMCalls) async throws(AWSError) {
        try await iam.remove("DeleteRolePolicy", Self.role(roleARN) + [("PolicyName", policy)])
    }

    // MARK: Asking beforehand

    /// Tries whether sessions of the roles with a revocation can be denied, and says what stands in the way.
    ///
    /// It writes a policy that concerns nobody to each of these roles, and removes it again: otherwise a right that is
    /// missing shows when a session has to be ended. Roles come by their ARN.
    ///
    /// - Throws: ``AWSError`` when AWS cannot be asked.
    public func preflight(timeout: Duration = .seconds(30)) async throws(AWSError) -> [STSRevocability] {
        let deadline = access.tools.time.read().continuous + timeout
        let iam = IAMCalls(client: access.iam, deadline: deadline)
        var found: [STSRevocability] = []
        for arn in revocableARNs {
            var obstacle = try await obstacle(of: arn, deadline)
            if obstacle == nil {
                let policy = "leasekit-preflight-\(process(of: ""))"
                let nobody = DenialPolicy(naming: [.init(lease: LeaseID(high: 0, low: 0), issuedAt: nil, endsAt: 0)])
                do throws(AWSError) {
                    try await put(nobody.text(""), policy, arn, deadline)
                    try await remove(policy, arn, iam)
                } catch {
                    let isRefused = (400..<500).contains(error.status ?? 0) && !error.isRetryable
                    guard isRefused, !error.code.isAboutLogin else { throw error }
                    obstacle = Self.explainedDenial(error).description
                }
            }
            notes.withLock { $0[arn] = STSRevocability(roleARN: arn, obstacle: obstacle) }
            found.append(STSRevocability(roleARN: arn, obstacle: obstacle))
        }
        return found
    }

    /// What is known of the roles with a revocation, from ``preflight(timeout:)`` and from revocations so far.
    ///
    /// A revocation that could not end a session says when the session ends; why is said here.
    public var revocability: [STSRevocability] {
        notes.withLock { $0.values.sorted { $0.roleARN < $1.roleARN } }
    }
}
