// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension IAMUserBackend: InventoryListing {
    /// One page of the users below a deployment's path.
    ///
    /// Name and path say whose they are; a revocation looks at the tags besides, before it touches one.
    public func inventory(
        of deployment: String,
        after cursor: String?,
        _ call: BackendCall
    ) async throws -> InventoryPage<IAMUserHandle> {
        var parameters: IAMCalls.Parameters = [("PathPrefix", LeaseTags.path(of: deployment)), ("MaxItems", "200")]
        if let cursor { parameters.append(("Marker", cursor)) }
        do throws(AWSError) {
            let reply = try await access.iam.call("ListUsers", parameters, until: access.deadline(of: call))
            let reading = access.tools.time.read()
            let ahead = reading.wall.duration(to: access.tools.clock.now(reading))
            let items = reply.result.list("Users").compactMap { node -> InventoryPage<IAMUserHandle>.Item? in
                guard let user = IAMCalls.User(node),
                    let mark = LeaseTags.mark(ofUser: user.name, at: user.path, of: deployment)
                else { return nil }
                return .init(
                    handle: IAMUserHandle(userName: user.name, deployment: deployment),
                    mark: mark,
                    madeAt: user.madeAt.map { $0 - ahead }
                )
            }
            guard reply.result.text("IsTruncated") == "true" else { return InventoryPage(items: items, next: nil) }
            guard let next = reply.result.text("Marker"), next != cursor else {
                throw AWSError(
                    .unreadableAnswer,
                    "a page names no next one, and is not the last",
                    action: "iam:ListUsers"
                )
            }
            return InventoryPage(items: items, next: next)
        } catch {
            throw error.failure()
        }
    }
}
