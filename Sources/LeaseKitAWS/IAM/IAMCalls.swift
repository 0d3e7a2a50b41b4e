// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// The actions of IAM that LeaseKit calls, by their deadline.
struct IAMCalls: Sendable {
    typealias Parameters = [(name: String, value: String)]

    /// One call, as a value.
    struct Step: Sendable {
        let action: String
        let parameters: Parameters

        init(_ action: String, _ parameters: Parameters) {
            self.action = action
            self.parameters = parameters
        }
    }

    let client: AWSClient
    let deadline: Duration

    struct User: Sendable {
        let name: String
        let path: String
        let arn: String
        let tags: [String: String]
        let madeAt: LeaseInstant?

        init?(_ node: XMLNode?) {
            guard let node, let name = node.text("UserName"), let arn = node.text("Arn") else { return nil }
            self.name = name
            self.arn = arn
            path = node.text("Path") ?? "/"
            madeAt = node.text("CreateDate").flatMap { LeaseInstant(iso8601: $0) }
            var tags: [String: String] = [:]
            for tag in node.list("Tags") { tags[tag.text("Key") ?? ""] = tag.text("Value") ?? "" }
            self.tags = tags
        }
    }

    func createUser(
        _ name: String,
        path: String,
        boundary: String?,
        tags: [(key: String, value: String)]
    ) async throws(AWSError) -> User {
        var parameters: Parameters = [("UserName", name), ("Path", path)]
        if let boundary { parameters.append(("PermissionsBoundary", boundary)) }
        for (number, tag) in tags.enumerated() {
            parameters.append(("Tags.member.\(number + 1).Key", tag.key))
            parameters.append(("Tags.member.\(number + 1).Value", tag.value))
        }
        let reply = try await client.call("CreateUser", parameters, until: deadline, isRepeatable: false)
        guard let user = User(reply.result["User"]) else { throw broken("CreateUser") }
        return user
    }

    /// Nil when there is no such user.
    func user(_ name: String) async throws(AWSError) -> User? {
        do throws(AWSError) {
            let reply = try await client.call("GetUser", [("UserName", name)], until: deadline)
            guard let user = User(reply.result["User"]) else { throw broken("GetUser") }
            return user
        } catch  where error.code == .noSuchEntity {
            return nil
        }
    }

    static func putUserPolicy(_ user: String, _ name: String, _ document: String) -> Step {
        Step("PutUserPolicy", [("UserName", user), ("PolicyName", name), ("PolicyDocument", document)])
    }

    func run(_ step: Step) async throws(AWSError) {
        _ = try await client.call(step.action, step.parameters, until: deadline)
    }

    /// Makes a key, of `user` or of whoever asks.
    func createAccessKey(_ user: String?) async throws(AWSError) -> AWSCredentials {
        let parameters: Parameters = user.map { [("UserName", $0)] } ?? []
        let reply = try await client.call("CreateAccessKey", parameters, until: deadline, isRepeatable: false)
        guard let key = reply.result["AccessKey"], let id = key.text("AccessKeyId"),
            let secret = key.text("SecretAccessKey")
        else { throw broken("CreateAccessKey") }
        return AWSCredentials(accessKeyID: id, secretAccessKey: SecretText(secret))
    }

    func accessKeys(of user: String?) async throws(AWSError) -> [String] {
        try await names("ListAccessKeys", "AccessKeyMetadata", user) { $0.text("AccessKeyId") }
    }

    /// Deletes something; that it is not there is fine.
    func remove(_ action: String, _ parameters: Parameters) async throws(AWSError) {
        do throws(AWSError) {
            try await run(Step(action, parameters))
        } catch  where error.code == .noSuchEntity {
            return
        }
    }

    /// Every page of a list of what a user has; empty when there is no such user.
    func names(
        _ action: String,
        _ list: String,
        _ user: String?,
        _ name: (XMLNode) -> String?
    ) async throws(AWSError) -> [String] {
        do throws(AWSError) {
            return try await pages(action, user.map { [("UserName", $0)] } ?? [], list).compactMap(name)
        } catch  where error.code == .noSuchEntity {
            return []
        }
    }

    /// Every page of a list.
    ///
    /// `isStrict` is for lists of which a part is worse than nothing.
    func pages(
        _ action: String,
        _ parameters: Parameters,
        _ list: String,
        isStrict: Bool = false
    ) async throws(AWSError) -> [XMLNode] {
        var (nodes, marker): ([XMLNode], String?) = ([], nil)
        // A list that never ends is no list.
        for _ in 0..<1_000 {
            let page = parameters + (marker.map { [("Marker", $0)] } ?? [])
            let reply = try await client.call(action, page, until: deadline)
            nodes += reply.result.list(list)
            guard reply.result.text("IsTruncated") == "true" else { return nodes }
            guard let next = reply.result.text("Marker"), next != marker else {
                if !isStrict { return nodes }
                throw AWSError(
                    .unreadableAnswer,
                    "a page names no next one, and is not the last",
                    action: "iam:\(action)"
                )
            }
            marker = next
        }
        throw AWSError(.unreadableAnswer, "the pages do not come to an end", action: "iam:\(action)")
    }

    private func broken(_ action: String) -> AWSError {
        AWSError(.unreadableAnswer, "the answer lacks what it is about", action: "iam:\(action)", mayHaveBeenDone: true)
    }
}
