// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension IAMUserBackend {
    /// Makes the user, gives it its end and its rights, and then its key.
    ///
    /// Calls: CreateUser, PutUserPolicy for the end, one for each policy and group, CreateAccessKey. What fails on the way
    /// is taken back at once.
    public func issue(
        _ request: String,
        as handle: inout IAMUserHandle,
        _ call: BackendCall
    ) async throws -> Issued<AWSCredentials> {
        let role = try role(at: "creds/\(request)")
        guard call.timeLeft > .zero, call.timeout > .zero else {
            throw BackendFailure(.transient, code: "late", "the lease or the call would be over before it begins")
        }
        let iam = IAMCalls(client: access.iam, deadline: access.deadline(of: call))
        do {
            try await createUser(role, &handle, call, iam)
            if let end = endAtTarget(call) { try await afterCreation(handle, iam, Self.end(of: handle, at: end)) }
            try await together(equipment(role, handle.userName), iam, creating: handle)
            var key = try await createKey(handle, iam)
            handle.accessKeyID = key.accessKeyID
            key.principal = principal(handle, call, role)
            try await waitUntilReady(key, iam.deadline)
            return Issued(key)
        } catch let error as AWSError where error.action == Self.foreign {
            throw BackendFailure(.denied, code: error.code.text, error.message, underlying: error)
        } catch {
            // The mark is compared on the way, so that nothing of others is touched. Whatever stays is in the handle.
            _ = try? await end(handle, call, iam, UserPlan(role.plan.bytes), isRollback: true)
            if let error = error as? AWSError { throw await explained(error, iam).failure(missing: .denied) }
            throw error
        }
    }

    /// The action of an error that says that the name is taken by somebody else.
    private static let foreign = "leasekit:foreign"

    /// Makes the user; an answer that was lost is found again by the mark.
    private func createUser(
        _ role: CheckedUserRole,
        _ handle: inout IAMUserHandle,
        _ call: BackendCall,
        _ iam: IAMCalls
    ) async throws {
        let tags = LeaseTags.tags(call.mark) + role.role.tags.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        var tries = 0
        while true {
            tries += 1
            do throws(AWSError) {
                let user = try await iam.createUser(
                    handle.userName,
                    path: LeaseTags.path(call.mark, role.role.path),
                    boundary: role.role.permissionsBoundaryARN,
                    tags: tags
                )
                handle.madeAt = call.now
                try checkTarget(user.arn, call)
                return
            } catch {
                guard error.code == .entityAlreadyExists || error.mayHaveBeenDone else { throw error }
                if let user = try await iam.user(handle.userName) {
                    guard LeaseTags.bear(call.mark, user.tags) else {
                        throw AWSError(error.code, "the user's name is taken by somebody else", action: Self.foreign)
                    }
                    handle.madeAt = call.now
                    try checkTarget(user.arn, call)
                    return
                }
                // Not done, or not visible yet; making it again tells.
                guard tries < 4 else { throw error }
                try await pause(tries, iam.deadline)
            }
        }
    }

    /// An account that is another one than the mount belongs to: what was made there goes again.
    private func checkTarget(_ arn: String, _ call: BackendCall) throws(AWSError) {
        guard let target = call.target, let found = AWSIdentity(arn: arn)?.fingerprint, found != target else { return }
        throw AWSError(
            .accessDenied,
            "the user was made in \(found), and this mount belongs to \(target)",
            action: "iam:CreateUser"
        )
    }

    /// What gives the user its rights.
    private func equipment(_ role: CheckedUserRole, _ user: String) -> [IAMCalls.Step] {
        var steps: [IAMCalls.Step] = []
        if let document = role.document { steps.append(IAMCalls.putUserPolicy(user, DeadMan.roleName, document.text)) }
        for arn in role.role.policyARNs {
            steps.append(IAMCalls.Step("AttachUserPolicy", [("UserName", user), ("PolicyArn", arn)]))
        }
        for group in role.role.groups {
            steps.append(IAMCalls.Step("AddUserToGroup", [("UserName", user), ("GroupName", group)]))
        }
        return steps
    }

    /// Runs a call about a user that was just made: a part of AWS may not know it yet.
    func afterCreation(_ handle: IAMUserHandle, _ iam: IAMCalls, _ step: IAMCalls.Step) async throws(AWSError) {
        var tries = 0
        while true {
            do throws(AWSError) {
                return try await iam.run(step)
            } catch {
                tries += 1
                // A policy or a group that is missing stays missing.
                let isAboutUser = error.message.contains(handle.userName)
                guard error.code == .noSuchEntity, isAboutUser, tries < 8 else { throw error }
                try await pause(tries, iam.deadline)
            }
        }
    }

    /// Makes the key; one whose secret was lost on the way is deleted.
    private func createKey(_ handle: IAMUserHandle, _ iam: IAMCalls) async throws(AWSError) -> AWSCredentials {
        var tries = 0
        while true {
            do throws(AWSError) {
                return try await iam.createAccessKey(handle.userName)
            } catch {
                tries += 1
                let isInvisible = error.code == .noSuchEntity && error.message.contains(handle.userName)
                guard error.mayHaveBeenDone || isInvisible, tries < 8 else { throw error }
                if error.mayHaveBeenDone {
                    for id in try await iam.accessKeys(of: handle.userName) {
                        try await iam.remove("DeleteAccessKey", [("UserName", handle.userName), ("AccessKeyId", id)])
                    }
                }
                try await pause(tries, iam.deadline)
            }
        }
    }

    func pause(_ number: Int, _ deadline: Duration) async throws(AWSError) {
        let time = access.tools.time
        let wait = access.tools.retry.wait(before: number, jitter: 0.5 + access.tools.entropy.unit() / 2)
        let until = time.read().continuous + wait
        guard until < deadline else {
            throw AWSError(
                .outOfTime,
                "the call's time was over while waiting for AWS",
                action: "iam",
                mayHaveBeenDone: true
            )
        }
        do { try await time.sleep(until: until) } catch {
            throw AWSError(
                .outOfTime,
                "the call was cancelled while waiting for AWS",
                action: "iam",
                mayHaveBeenDone: true
            )
        }
    }

    /// Tries the new key until it has worked a few times in a row.
    private func waitUntilReady(_ key: AWSCredentials, _ deadline: Duration) async throws(AWSError) {
        guard let readiness = options.readiness else { return }
        let time = access.tools.time
        let sts = access.asking(as: key)
        var successes = 0
        while true {
            do throws(AWSError) {
                _ = try await sts.call("GetCallerIdentity", until: deadline)
                successes += 1
                if successes >= readiness.successes { return }
            } catch  where error.code.isAboutLogin {
                successes = 0
            }
            let until = time.read().continuous + readiness.interval
            guard until < deadline else {
                throw AWSError(.outOfTime, "the new key does not work everywhere yet", action: "sts:GetCallerIdentity")
            }
            do { try await time.sleep(until: until) } catch {
                throw AWSError(.outOfTime, "the call was cancelled", action: "sts:GetCallerIdentity")
            }
        }
    }

    private func principal(_ handle: IAMUserHandle, _ call: BackendCall, _ role: CheckedUserRole) -> String? {
        guard let target = call.target?.split(separator: "/"), target.count == 2 else { return nil }
        let path = LeaseTags.path(call.mark, role.role.path)
        return "arn:\(target[0]):iam::\(target[1]):user\(path)\(handle.userName)"
    }

    /// A quota's error, with the numbers of the account behind it.
    private func explained(_ error: AWSError, _ iam: IAMCalls) async -> AWSError {
        guard error.code == .limitExceeded else { return error }
        var numbers = ""
        if let reply = try? await iam.client.call("GetAccountSummary", until: iam.deadline) {
            var summary: [String: String] = [:]
            for entry in reply.result["SummaryMap"]?.children ?? [] {
                summary[entry.text("key") ?? ""] = entry.text("value")
            }
            if let users = summary["Users"], let quota = summary["UsersQuota"] {
                numbers = "; the account has \(users) users of \(quota)"
            }
        }
        return AWSError(
            error.code,
            "a quota of the account is reached (\(error.message)\(numbers)): have it raised, or limit the mount's leases",
            action: error.action,
            status: error.status,
            requestID: error.requestID
        )
    }
}
