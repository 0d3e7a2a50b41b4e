// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension PostgresBackend: InventoryListing {
    /// Lists the users whose comment is of this deployment, by name.
    public func inventory(
        of deployment: String,
        after cursor: String?,
        _ call: BackendCall
    ) async throws -> InventoryPage<PostgresHandle> {
        let times = CallTimes(call, at: time.read())
        let limit = options.pageSize
        let question = PostgresStatement(
            """
            SELECT r.rolname, d.description FROM pg_catalog.pg_shdescription d
            JOIN pg_catalog.pg_roles r ON r.oid = d.objoid
            WHERE d.classoid = 'pg_catalog.pg_authid'::regclass AND starts_with(d.description, $1)
                AND r.rolname::text COLLATE "C" > $2
            ORDER BY r.rolname::text COLLATE "C" LIMIT \(limit)
            """,
            [RoleTag.prefix(of: deployment), cursor ?? ""]
        )
        let rows = try await classified { try await ask(question, times).rows }
        let items = rows.compactMap { row -> InventoryPage<PostgresHandle>.Item? in
            // A comment of somebody else's that only begins like ours names no lease, and so nothing of ours.
            guard let name = row[0], let tag = row[1].flatMap({ RoleTag($0) }), tag.mark.deployment == deployment else {
                return nil
            }
            let handle = PostgresHandle(name: name, role: tag.role, issueDeadline: nil)
            return .init(handle: handle, mark: tag.mark, madeAt: tag.madeAt)
        }
        return InventoryPage(items: items, next: rows.count < limit ? nil : rows.last?[0])
    }
}
