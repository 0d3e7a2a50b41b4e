// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// Users with rights on many tables: made at once, and ended against what Vault does by default.
func measureTables(
    _ server: BenchServer,
    _ raw: RawPostgres,
    tables: Int,
    schemas: Int
) async throws -> [Measurement] {
    let names = (0..<schemas).map { schemas == 1 ? "public" : "bench\($0)" }
    raw.run(names.filter { $0 != "public" }.map { "CREATE SCHEMA \($0)" })
    raw.run(
        names.map { schema in
            """
            DO $$ BEGIN FOR i IN 1..\(tables / schemas) LOOP
                EXECUTE 'CREATE TABLE \(schema).bench' || i || ' (a int, b int, c int, d int)';
            END LOOP; END $$
            """
        }
    )
    // As the fixture has other users, too.
    let grants = names.map { "GRANT SELECT ON ALL TABLES IN SCHEMA \($0) TO USER" }
    let crowd = (0..<30).map { "crowd\(tables)_\($0)" }
    for user in crowd {
        raw.run(["CREATE ROLE \(user)"] + grants.map { $0.replacingOccurrences(of: "USER", with: user) })
    }
    let victims = (0..<5).map { "vault\(tables)_\($0)" }
    for user in victims {
        raw.run(["CREATE ROLE \(user)"] + grants.map { $0.replacingOccurrences(of: "USER", with: user) })
    }
    let vault = median(victims.map { raw.revokeAsVaultDoes($0) })
    let creation =
        "CREATE ROLE {{name}} LOGIN PASSWORD {{password}};"
        + grants.map { $0.replacingOccurrences(of: "USER", with: "{{name}}") }.joined(separator: ";")
    let role = PostgresRole(.statements(creation: creation), ttl: .seconds(3_600), iterations: 1)
    let measured = try await world(server, connections: 8, roles: ["app": role]) { _, mount in
        var times: [Double] = []
        for _ in 0..<7 {
            let lease = try await mount.issue("app")
            let start = ContinuousClock.now
            _ = try await mount.revoke(lease.id)
            times.append((ContinuousClock.now - start) / .microseconds(1))
        }
        var errors = 0.0
        if tables == 200 {
            errors = try await withThrowingTaskGroup(of: Double.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var errors = 0.0
                        for _ in 0..<25 { if (try? await mount.issue("app")) == nil { errors += 1 } }
                        return errors
                    }
                }
                return try await group.reduce(0, +)
            }
        }
        return (revoke: median(times), errors: errors)
    }
    let owned = crowd.joined(separator: ", ")
    raw.run(["DROP OWNED BY \(owned)", "DROP ROLE \(owned)"])
    var measurements = [
        Measurement(
            "Postgres: revoke with rights on \(text(of: tables)) tables, against Vault's statements",
            measured.revoke,
            "µs",
            baseline: vault,
            target: vault / 8
        )
    ]
    if tables == 200 {
        measurements.append(
            Measurement("Postgres: 8 × 25 issues with grants on 200 tables: errors", measured.errors, "", target: 0)
        )
    }
    return measurements
}
