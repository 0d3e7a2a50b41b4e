// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitPostgres
import Testing

/// What an earlier start of the manager left running at the server does not hold up the next.
@Suite struct ForerunnerTests {
    @Test(.timeLimit(.minutes(1)), arguments: CleaningTests.rows)
    func sessionsOfEarlierStartsAreEnded(_ row: CleaningTests.Row) async throws {
        let bench = try await BackendBench(row.version, row.admin, maxConnections: 8)
        let (mine, others) = ("leasekit/\(bench.deployment)/", "leasekit/\(bench.deployment)x/")
        let names = [mine + "3", mine + "7", mine + "8", mine + "-", others + "3", "psql"]
        var call = bench.call()
        call.start = ManagerStart(Incarnation(rawValue: 7), isAlone: true)
        #expect(try await survivors(names, bench, call) == [mine + "7", mine + "8", mine + "-", others + "3", "psql"])
        // Once for each start.
        #expect(try await survivors([mine + "3"], bench, call) == [mine + "3"])
    }

    /// Where several managers share a store, nobody knows whose start is over.
    @Test(.timeLimit(.minutes(1))) func nobodyIsEndedBesideOthers() async throws {
        let bench = try await BackendBench()
        var call = bench.call()
        call.start = ManagerStart(Incarnation(rawValue: 7), isAlone: false)
        let name = "leasekit/\(bench.deployment)/3"
        #expect(try await survivors([name], bench, call) == [name])
    }

    /// Holds a transaction open under each name while the backend looks who answers; the names of those that outlived it.
    private func survivors(_ names: [String], _ bench: BackendBench, _ call: BackendCall) async throws -> [String] {
        let (ready, isOver) = (Locked(0), Door())
        let allReady = Door()
        return try await withThrowingTaskGroup(of: (String, Bool).self) { group in
            for name in names {
                group.addTask {
                    let client = LibPQClient(
                        bench.server.configuration(
                            user: bench.admin,
                            password: bench.adminPassword.withText { $0 },
                            maxConnections: 1
                        )
                    )
                    do {
                        let isAlive = try await client.withSession(database: nil, timeout: .seconds(50)) { session in
                            let mark = PostgresStatement("SELECT set_config('application_name', $1, true)", [name])
                            _ = try await session.run(["BEGIN", mark])
                            let count = ready.withLock { ready in
                                ready += 1
                                return ready
                            }
                            if count == names.count { allReady.open() }
                            await isOver.pass()
                            return (try? await session.run(["SELECT 1"])) != nil
                        }
                        await client.close()
                        return (name, isAlive)
                    } catch {
                        // Nobody is to wait for one that did not come so far.
                        allReady.open()
                        isOver.open()
                        throw error
                    }
                }
            }
            await allReady.pass()
            _ = try await bench.backend.fingerprint(call)
            isOver.open()
            let outcomes = try await group.reduce(into: [String: Bool]()) { $0[$1.0] = $1.1 }
            return names.filter { outcomes[$0] == true }
        }
    }
}
