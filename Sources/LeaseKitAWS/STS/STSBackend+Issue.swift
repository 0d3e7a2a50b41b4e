// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension STSBackend {
    /// Makes temporary credentials that run as long as the lease, or as near to it as the role's bounds allow.
    public func issue(
        _ request: STSRequest,
        as handle: inout STSHandle,
        _ call: BackendCall
    ) async throws -> Issued<AWSCredentials> {
        let role = try role(at: "creds/\(request.role)")
        guard call.timeLeft > .zero, call.timeout > .zero else {
            throw BackendFailure(.transient, code: "late", "the lease or the call would be over before it begins")
        }
        do throws(AWSError) {
            return try await issue(request, role, &handle, call)
        } catch {
            throw Self.explained(error).failure(missing: .denied)
        }
    }

    private func issue(
        _ request: STSRequest,
        _ role: CheckedSTSRole,
        _ handle: inout STSHandle,
        _ call: BackendCall
    ) async throws(AWSError) -> Issued<AWSCredentials> {
        let deadline = access.deadline(of: call)
        let isChained = try await checkOwn(role, deadline)
        let bounds = STSDuration(kind: role.role.kind, isChained: isChained, bounds: role.role.bounds)
        let seconds = try bounds.seconds(for: call.timeLeft)
        var parameters: IAMCalls.Parameters = [("DurationSeconds", String(seconds))]
        parameters += try await policies(role, deadline)
        parameters += try session(request, role, handle)
        let action =
            switch role.role.kind {
            case .assumedRole: "AssumeRole"
            case .federationToken: "GetFederationToken"
            default: "GetSessionToken"
            }
        let sent = access.tools.time.read()
        let made = try await ask(action, parameters, seconds, handle, call, deadline)
        let received = access.tools.time.read()
        // By LeaseKit's clock, which the call was told, and not this machine's wall clock.
        let now = call.now + (received.continuous - sent.continuous)
        let end = min(now + made.timeLeft, call.now + .seconds(seconds))
        handle.endsAt = end
        handle.accessKeyID = made.accessKeyID
        var credentials = try made.credentials(role.role.kind == .sessionToken ? .unknown : .role)
        credentials.expiresAt = end
        if let denial = handle.denial { await clearUpIfDue(denial, deadline) }
        return Issued(credentials, expiresAt: end < call.expiresAt ? end : nil)
    }

    /// Asks for the session, and notes what becomes of it where it may have to be denied.
    private func ask(
        _ action: String,
        _ parameters: IAMCalls.Parameters,
        _ seconds: Int,
        _ handle: STSHandle,
        _ call: BackendCall,
        _ deadline: Duration
    ) async throws(AWSError) -> STSReply {
        let denials = handle.denial.map { self.denials(of: $0) }
        let length = Int64(seconds)
        // An answer that is late makes a session that ends late.
        denials?.asks(call.id, at: second(now), endsAt: second(now + call.timeout) + length)
        do throws(AWSError) {
            let reply = try await access.sts.call(action, parameters, until: deadline)
            let made = try STSReply(reply, access.tools.time.read(), asked: .seconds(seconds))
            denials?.made(call.id, at: second(made.endsAtService) - length)
            return made
        } catch {
            if error.mayHaveBeenDone { denials?.lost(call.id) } else { denials?.refused(call.id) }
            throw error
        }
    }

    /// Whether the own credentials are a role's; some kinds need a user's key.
    private func checkOwn(_ role: CheckedSTSRole, _ deadline: Duration) async throws(AWSError) -> Bool {
        let own = try await access.ownCredentials()
        if role.role.kind == .assumedRole { return try await isRole(own, deadline) }
        guard own.sessionToken == nil else {
            throw AWSError(
                .outOfBounds,
                "\(role.role.kind) needs a user's own key, and LeaseKit's credentials are temporary: give it a key, or make the "
                    + "role an assumedRole"
            )
        }
        return false
    }

    private func policies(_ role: CheckedSTSRole, _ deadline: Duration) async throws(AWSError) -> IAMCalls.Parameters {
        var (document, arns) = (role.document, role.role.policyARNs)
        if !role.role.groups.isEmpty {
            let iam = IAMCalls(client: access.iam, deadline: deadline)
            let merged = try await GroupPolicies(of: role.role.groups, joining: document, arns, iam)
            (document, arns) = (merged.document, merged.arns)
        }
        var parameters: IAMCalls.Parameters = document.map { [("Policy", $0.text)] } ?? []
        for (number, arn) in arns.enumerated() { parameters.append(("PolicyArns.member.\(number + 1).arn", arn)) }
        return parameters
    }

    private func session(
        _ request: STSRequest,
        _ role: CheckedSTSRole,
        _ handle: STSHandle
    ) throws(AWSError) -> IAMCalls.Parameters {
        var parameters: IAMCalls.Parameters = []
        switch role.role.kind {
        case .assumedRole:
            let arn = try roleARN(request, role)
            guard handle.denial.map({ $0.roleARN == arn }) ?? true else {
                throw AWSError(.outOfBounds, "the role was changed while a lease of it was issued: ask again")
            }
            parameters += [("RoleArn", arn), ("RoleSessionName", handle.sessionName)]
            if let id = role.role.externalID { parameters.append(("ExternalId", id)) }
            if let identity = role.role.sourceIdentity { parameters.append(("SourceIdentity", identity)) }
        case .federationToken: parameters.append(("Name", handle.sessionName))
        default: break
        }
        for (number, tag) in role.role.sessionTags.sorted(by: { $0.key < $1.key }).enumerated() {
            parameters.append(("Tags.member.\(number + 1).Key", tag.key))
            parameters.append(("Tags.member.\(number + 1).Value", tag.value))
        }
        for (number, key) in role.role.transitiveTagKeys.enumerated() {
            parameters.append(("TransitiveTagKeys.member.\(number + 1)", key))
        }
        if let serial = role.role.mfaSerialNumber {
            guard let code = request.mfaCode, code.utf8.count == 6, code.utf8.allSatisfy({ (48...57).contains($0) })
            else {
                throw AWSError(
                    .outOfBounds,
                    "the role wants the code of an MFA device: give the request six digits as mfaCode"
                )
            }
            parameters += [("SerialNumber", serial), ("TokenCode", code)]
        }
        return parameters
    }

    func roleARN(_ request: STSRequest, _ role: CheckedSTSRole) throws(AWSError) -> String {
        if let asked = request.roleARN {
            guard role.role.roleARNs.contains(asked) else {
                throw AWSError(
                    .outOfBounds,
                    "the role does not allow \"\(asked)\": choose one of its roleARNs, or add it there"
                )
            }
            return asked
        }
        guard role.role.roleARNs.count == 1, let only = role.role.roleARNs.first else {
            throw AWSError(.outOfBounds, "the role has \(role.role.roleARNs.count) roleARNs: say in the request which")
        }
        return only
    }

    /// Adds to a refusal of AWS what can be done about it, where that is known.
    private static func explained(_ error: AWSError) -> AWSError {
        let isTime = error.code == "ValidationError" && error.message.contains("DurationSeconds")
        guard isTime || error.code == "PackedPolicyTooLarge" else { return error }
        let fix =
            isTime
            ? "raise the role's MaxSessionDuration at AWS, or lower the maximum here" : "shorten policies and tags"
        return AWSError(
            error.code,
            "\(error.message): \(fix)",
            action: error.action,
            status: error.status,
            requestID: error.requestID
        )
    }
}
