// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension IAMUserBackend {
    /// Ends the key with the first call, and then the user with everything that hangs on it.
    ///
    /// Calls: DeleteAccessKey, GetUser for the mark, one for each policy and group, DeleteUser.
    public func revoke(_ handle: IAMUserHandle, _ call: BackendCall) async throws -> RevocationOutcome {
        guard call.timeout > .zero else {
            throw BackendFailure(.transient, code: "late", "the call's deadline was over before it began")
        }
        guard handle.names(call.mark) else { return .notOurs }
        let iam = IAMCalls(client: access.iam, deadline: access.deadline(of: call))
        do {
            return try await end(handle, call, iam, UserPlan(call.role), isRollback: false)
        } catch let error as AWSError {
            throw error.failure()
        }
    }

    /// Ends a user; what is gone already is no trouble.
    func end(
        _ handle: IAMUserHandle,
        _ call: BackendCall,
        _ iam: IAMCalls,
        _ plan: UserPlan,
        isRollback: Bool
    ) async throws -> RevocationOutcome {
        let name = handle.userName
        // A key in a handle is one that we were given: there is no second one with its id.
        if let id = handle.accessKeyID {
            try await iam.remove("DeleteAccessKey", [("UserName", name), ("AccessKeyId", id)])
        }
        guard let user = try await iam.user(name) else {
            if !isRollback, mayBeInvisible(handle, call) { throw Self.notVisible(handle) }
            return .alreadyGone
        }
        // The same name in another account is somebody else's.
        if let target = call.target, let found = AWSIdentity(arn: user.arn)?.fingerprint, found != target, !isRollback {
            throw BackendFailure.wrongTarget(found: found)
        }
        guard LeaseTags.bear(call.mark, user.tags) else { return .notOurs }
        if handle.accessKeyID == nil {
            for id in try await iam.accessKeys(of: name) {
                try await iam.remove("DeleteAccessKey", [("UserName", name), ("AccessKeyId", id)])
            }
        }
        try await detach(name, plan, iam)
        try await deleteUser(name, iam)
        ended.withLock { $0.insert(name) }
        return .revoked
    }

    /// What is known to hang on the user.
    private func detach(_ name: String, _ plan: UserPlan, _ iam: IAMCalls) async throws(AWSError) {
        var steps: [IAMCalls.Step] = []
        if options.endSlack != nil {
            steps.append(.init("DeleteUserPolicy", [("UserName", name), ("PolicyName", DeadMan.name)]))
        }
        if plan.hasDocument {
            steps.append(.init("DeleteUserPolicy", [("UserName", name), ("PolicyName", DeadMan.roleName)]))
        }
        steps += plan.policyARNs.map { .init("DetachUserPolicy", [("UserName", name), ("PolicyArn", $0)]) }
        steps += plan.groups.map { .init("RemoveUserFromGroup", [("UserName", name), ("GroupName", $0)]) }
        try await together(steps, iam, creating: nil)
    }

    /// Runs calls side by side, some at a time; all that were begun are finished before an error goes out.
    ///
    /// They give a new user its rights, or without one remove things that may be gone already.
    func together(
        _ steps: [IAMCalls.Step],
        _ iam: IAMCalls,
        creating handle: IAMUserHandle?
    ) async throws(AWSError) {
        let failure = await withTaskGroup(of: AWSError?.self) { [options] group in
            var rest = steps[...]
            var failure: AWSError?
            let room = max(1, options.concurrency)
            for step in rest.prefix(room) { group.addTask { await self.failure(of: step, iam, handle) } }
            rest = rest.dropFirst(room)
            while let result = await group.next() {
                if failure == nil { failure = result }
                if failure == nil, let step = rest.popFirst() {
                    group.addTask { await self.failure(of: step, iam, handle) }
                }
            }
            return failure
        }
        if let failure { throw failure }
    }

    private func failure(of step: IAMCalls.Step, _ iam: IAMCalls, _ handle: IAMUserHandle?) async -> AWSError? {
        do throws(AWSError) {
            if let handle {
                try await afterCreation(handle, iam, step)
            } else {
                try await iam.remove(step.action, step.parameters)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Deletes the user; when something still hangs on it, everything is looked for.
    private func deleteUser(_ name: String, _ iam: IAMCalls) async throws(AWSError) {
        var tries = 0
        while true {
            do throws(AWSError) {
                try await iam.remove("DeleteUser", [("UserName", name)])
                return
            } catch  where error.code == .deleteConflict && tries < 4 {
                tries += 1
                try await strip(name, iam)
                // What was deleted a moment ago may still be counted.
                if tries > 1 { try await pause(tries, iam.deadline) }
            }
        }
    }
}
