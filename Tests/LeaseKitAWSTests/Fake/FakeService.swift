// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// One request to a fake account.
struct FakeService {
    struct Failure: Error {
        let status: Int
        let code: String
        let message: String
    }

    var account: FakeAccount
    let now: LeaseInstant
    let lag: Duration
    let pageSize: Int

    mutating func answer(_ action: String, _ form: [String: String]) -> Result<String, Failure> {
        do {
            return .success(try run(action, form))
        } catch let failure as Failure {
            return .failure(failure)
        } catch {
            return .failure(Failure(status: 500, code: "InternalFailure", message: "\(error)"))
        }
    }

    private mutating func run(_ action: String, _ form: [String: String]) throws -> String {
        switch action {
        case "GetCallerIdentity":
            return "<Arn>arn:aws:iam::123456789012:user/broker</Arn><UserId>U</UserId><Account>123456789012</Account>"
        case "CreateUser": return try createUser(form)
        case "GetUser": return "<User>\(Self.xml(try name(form), try user(form)))</User>"
        case "ListUsers": return listUsers(form)
        case "DeleteUser": return try deleteUser(form)
        case "CreateAccessKey": return try createKey(form)
        case "DeleteAccessKey":
            return try remove(form) { $0.keys.removeValue(forKey: form["AccessKeyId"] ?? "") != nil }
        case "PutUserPolicy":
            _ = try user(form)
            let document = form["PolicyDocument"] ?? ""
            guard (try? JSONSerialization.jsonObject(with: Data(document.utf8))) != nil else {
                throw Failure(status: 400, code: "MalformedPolicyDocument", message: "Syntax errors in policy.")
            }
            account.users[try name(form)]?.inline[form["PolicyName"] ?? ""] = document
            return ""
        case "DeleteUserPolicy":
            return try remove(form) { $0.inline.removeValue(forKey: form["PolicyName"] ?? "") != nil }
        case "AttachUserPolicy":
            _ = try user(form)
            let arn = form["PolicyArn"] ?? ""
            guard account.policies.contains(arn) else {
                throw Failure(
                    status: 404,
                    code: "NoSuchEntity",
                    message: "Policy \(arn) does not exist or is not attachable."
                )
            }
            account.users[try name(form)]?.attached.append(arn)
            return ""
        case "DetachUserPolicy": return try remove(form) { Self.take(form["PolicyArn"], from: &$0.attached) }
        case "AddUserToGroup":
            _ = try user(form)
            guard account.groups[form["GroupName"] ?? ""] != nil else {
                throw Failure(
                    status: 404,
                    code: "NoSuchEntity",
                    message: "The group with name \(form["GroupName"] ?? "") cannot be found."
                )
            }
            account.users[try name(form)]?.groups.append(form["GroupName"] ?? "")
            return ""
        case "RemoveUserFromGroup": return try remove(form) { Self.take(form["GroupName"], from: &$0.groups) }
        case "DeleteLoginProfile":
            return try remove(form) { user in
                defer { user.hasLogin = false }
                return user.hasLogin
            }
        case "DeactivateMFADevice": return try removeExtra("MFADevices", form["SerialNumber"], form)
        case "DeleteVirtualMFADevice":
            guard account.virtualDevices.remove(form["SerialNumber"] ?? "") != nil else { throw missing("device") }
            return ""
        case "DeleteSSHPublicKey": return try removeExtra("SSHPublicKeys", form["SSHPublicKeyId"], form)
        case "DeleteSigningCertificate": return try removeExtra("Certificates", form["CertificateId"], form)
        case "DeleteServiceSpecificCredential":
            return try removeExtra("ServiceSpecificCredentials", form["ServiceSpecificCredentialId"], form)
        case "PutRolePolicy", "DeleteRolePolicy", "ListRolePolicies", "GetRolePolicy":
            return try rolePolicy(action, form)
        case "GetAccountSummary":
            return "<SummaryMap><entry><key>Users</key><value>\(account.users.count)</value></entry>"
                + "<entry><key>UsersQuota</key><value>\(account.userQuota)</value></entry></SummaryMap>"
        case "AssumeRole", "GetFederationToken", "GetSessionToken": return try makeSession(form)
        default: return try list(action, form)
        }
    }

    // MARK: Users

    private func name(_ form: [String: String]) throws -> String { form["UserName"] ?? "broker" }

    private func missing(_ what: String) -> Failure {
        Failure(status: 404, code: "NoSuchEntity", message: "The \(what) cannot be found.")
    }

    private func user(_ form: [String: String]) throws -> FakeAccount.User {
        let name = try name(form)
        guard let user = account.users[name], now >= user.madeAt + lag else { throw missing("user with name \(name)") }
        return user
    }

    private mutating func createUser(_ form: [String: String]) throws -> String {
        let name = try name(form)
        if account.users.keys.contains(where: { $0.lowercased() == name.lowercased() }) {
            throw Failure(status: 409, code: "EntityAlreadyExists", message: "User with name \(name) already exists.")
        }
        guard account.users.count < account.userQuota else {
            throw Failure(
                status: 409,
                code: "LimitExceeded",
                message: "Cannot exceed quota for UsersPerAccount: \(account.userQuota)"
            )
        }
        var tags: [String: String] = [:]
        for number in 1...50 {
            guard let key = form["Tags.member.\(number).Key"] else { break }
            tags[key] = form["Tags.member.\(number).Value"]
        }
        let user = FakeAccount.User(
            path: form["Path"] ?? "/",
            tags: tags,
            madeAt: now,
            boundary: form["PermissionsBoundary"]
        )
        account.users[name] = user
        return "<User>\(Self.xml(name, user))</User>"
    }

    private static func xml(_ name: String, _ user: FakeAccount.User) -> String {
        let tags = user.tags.map { "<member><Key>\($0.key)</Key><Value>\($0.value)</Value></member>" }.joined()
        return "<UserName>\(name)</UserName><Path>\(user.path)</Path>"
            + "<Arn>arn:aws:iam::123456789012:user\(user.path)\(name)</Arn><CreateDate>\(user.madeAt)</CreateDate>"
            + (tags.isEmpty ? "<Tags/>" : "<Tags>\(tags)</Tags>")
    }

    private mutating func deleteUser(_ form: [String: String]) throws -> String {
        guard try user(form).isBare else {
            throw Failure(
                status: 409,
                code: "DeleteConflict",
                message: "Cannot delete entity, must remove everything first."
            )
        }
        account.users[try name(form)] = nil
        return ""
    }

    private mutating func createKey(_ form: [String: String]) throws -> String {
        guard try user(form).keys.count < 2 else {
            throw Failure(status: 409, code: "LimitExceeded", message: "Cannot exceed quota for AccessKeysPerUser: 2")
        }
        let id = "AKIA\(account.nextSerial())"
        account.users[try name(form)]?.keys[id] = "secret-of-\(id)"
        return "<AccessKey><UserName>x</UserName><AccessKeyId>\(id)</AccessKeyId><Status>Active</Status>"
            + "<SecretAccessKey>secret-of-\(id)</SecretAccessKey></AccessKey>"
    }

    private mutating func remove(
        _ form: [String: String],
        _ body: (inout FakeAccount.User) -> Bool
    ) throws -> String {
        var user = try user(form)
        guard body(&user) else { throw missing("thing of the user") }
        account.users[try name(form)] = user
        return ""
    }

    private mutating func removeExtra(_ list: String, _ id: String?, _ form: [String: String]) throws -> String {
        try remove(form) { Self.take(id, from: &$0.extras[list, default: []]) }
    }

    private static func take(_ element: String?, from list: inout [String]) -> Bool {
        guard let element, let place = list.firstIndex(of: element) else { return false }
        list.remove(at: place)
        return true
    }

    // MARK: Lists

    private func listUsers(_ form: [String: String]) -> String {
        let prefix = form["PathPrefix"] ?? "/"
        let names = account.users.filter { $0.value.path.hasPrefix(prefix) }.keys.sorted()
        return page("Users", names, form) { name in
            guard let user = account.users[name] else { return "" }
            // A list does not show tags.
            return Self.xml(name, FakeAccount.User(path: user.path, tags: [:], madeAt: user.madeAt, boundary: nil))
        }
    }

    private func list(_ action: String, _ form: [String: String]) throws -> String {
        func named(_ field: String, _ values: [String]) -> [String] { values.map { "<\(field)>\($0)</\(field)>" } }
        let group = form["GroupName"] ?? ""
        switch action {
        case "ListAccessKeys":
            return page("AccessKeyMetadata", named("AccessKeyId", try user(form).keys.keys.sorted()), form)
        case "ListUserPolicies": return page("PolicyNames", try user(form).inline.keys.sorted(), form)
        case "ListAttachedUserPolicies":
            return page("AttachedPolicies", named("PolicyArn", try user(form).attached), form)
        case "ListGroupsForUser": return page("Groups", named("GroupName", try user(form).groups), form)
        case "ListMFADevices":
            return page("MFADevices", named("SerialNumber", try user(form).extras["MFADevices"] ?? []), form)
        case "ListSSHPublicKeys":
            return page("SSHPublicKeys", named("SSHPublicKeyId", try user(form).extras["SSHPublicKeys"] ?? []), form)
        case "ListSigningCertificates":
            return page("Certificates", named("CertificateId", try user(form).extras["Certificates"] ?? []), form)
        case "ListServiceSpecificCredentials":
            let found = try user(form).extras["ServiceSpecificCredentials"] ?? []
            return page("ServiceSpecificCredentials", named("ServiceSpecificCredentialId", found), form)
        case "ListGroupPolicies": return page("PolicyNames", (account.groups[group] ?? [:]).keys.sorted(), form)
        case "ListAttachedGroupPolicies":
            return page("AttachedPolicies", named("PolicyArn", account.groupPolicies[group] ?? []), form)
        case "GetGroupPolicy":
            guard let text = account.groups[group]?[form["PolicyName"] ?? ""] else { throw missing("policy") }
            let encoded = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            return "<PolicyDocument>\(encoded)</PolicyDocument>"
        default: throw Failure(status: 400, code: "InvalidAction", message: action)
        }
    }

    private func page(
        _ list: String,
        _ elements: [String],
        _ form: [String: String],
        _ shown: (String) -> String = { $0 }
    ) -> String {
        let start = form["Marker"].flatMap { Int($0) } ?? 0
        let size = min(pageSize, form["MaxItems"].flatMap { Int($0) } ?? pageSize)
        let slice = elements.dropFirst(start).prefix(size)
        let isCut = start + size < elements.count
        let members = slice.map { "<member>\(shown($0))</member>" }.joined()
        return (members.isEmpty ? "<\(list)/>" : "<\(list)>\(members)</\(list)>")
            + "<IsTruncated>\(isCut)</IsTruncated>" + (isCut ? "<Marker>\(start + size)</Marker>" : "")
    }

    // MARK: Roles

    private mutating func rolePolicy(_ action: String, _ form: [String: String]) throws -> String {
        let (role, name) = (form["RoleName"] ?? "", form["PolicyName"] ?? "")
        guard var policies = account.roles[role] else { throw missing("role with name \(role)") }
        switch action {
        case "PutRolePolicy":
            policies[name] = form["PolicyDocument"]
            let size = policies.values.reduce(0) { $0 + $1.count { !$0.isWhitespace } }
            guard size <= 10_240 else {
                throw Failure(
                    status: 409,
                    code: "LimitExceeded",
                    message: "Maximum policy size of 10240 bytes exceeded for role \(role)"
                )
            }
            account.roles[role] = policies
            return ""
        case "DeleteRolePolicy":
            guard policies.removeValue(forKey: name) != nil else { throw missing("role policy") }
            account.roles[role] = policies
            return ""
        case "ListRolePolicies": return page("PolicyNames", policies.keys.sorted(), form)
        default:
            guard let text = policies[name] else { throw missing("role policy") }
            let encoded = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            return "<PolicyDocument>\(encoded)</PolicyDocument>"
        }
    }

    // MARK: Sessions

    private mutating func makeSession(_ form: [String: String]) throws -> String {
        let seconds = form["DurationSeconds"].flatMap { Int64($0) } ?? 3_600
        guard (900...129_600).contains(seconds) else {
            throw Failure(status: 400, code: "ValidationError", message: "1 validation error: DurationSeconds")
        }
        let maximum = form["RoleArn"]?.hasSuffix("short") == true ? 3_600 : 43_200 as Int64
        if form["RoleArn"] != nil, seconds > maximum {
            throw Failure(
                status: 400,
                code: "ValidationError",
                message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        }
        let id = "ASIA\(account.nextSerial())"
        // Services cut the fraction off.
        let end = LeaseInstant(secondsSinceEpoch: (now + .seconds(seconds)).nanosecondsSinceEpoch / 1_000_000_000)
        account.sessions[id] = FakeSession(
            role: form["RoleArn"].map { String($0.split(separator: "/").last ?? "") },
            name: form["RoleSessionName"] ?? form["Name"] ?? "",
            issuedAt: LeaseInstant(secondsSinceEpoch: now.nanosecondsSinceEpoch / 1_000_000_000),
            end: end
        )
        let who = form["RoleArn"].map {
            "<AssumedRoleUser><Arn>\($0)/\(form["RoleSessionName"] ?? "")</Arn></AssumedRoleUser>"
        }
        return "<Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>secret-of-\(id)</SecretAccessKey>"
            + "<SessionToken>token-of-\(id)</SessionToken><Expiration>\(end)</Expiration></Credentials>\(who ?? "")"
    }
}
