// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Looks at a database from a process of its own.
struct Looking {
    private let path: String
    private let store: SQLiteLeaseStore

    init(_ path: String) {
        self.path = path
        store = SQLiteLeaseStore(path: path)
    }

    private func open() async throws -> StoreOpening { try await store.open(at: SystemTime().read()) }

    /// Has the database open until it is killed; or forks a child that lives on, and perhaps closes it after that.
    func hold(_ how: String) async throws {
        let opening = try await open()
        // Swift hides the call, because so little may be done in the child; this one only waits.
        typealias Fork = @convention(c) () -> pid_t
        var child: pid_t = 0
        if how != "only", let symbol = dlsym(nil, "fork") {
            child = unsafeBitCast(symbol, to: Fork.self)()
            if child == 0 {
                close(1)
                while true { pause() }
            }
        }
        if how == "release" { await store.close(opening.incarnation) }
        say("holds \(child)")
        while true { pause() }
    }

    /// Opens the database and writes to it, perhaps as a user with fewer rights, perhaps from another directory.
    func attempt(as user: uid_t?, from directory: String? = nil) async {
        if let user { _ = (setgroups(0, nil), setgid(user), setuid(user)) }
        do {
            let opening = try await open()
            if let directory { chdir(directory) }
            let context = StoreContext(
                now: SystemTime().read().wall,
                operation: 1,
                incarnation: opening.incarnation,
                cause: LeaseCause(.requested)
            )
            _ = try await store.register(path: "tried", kind: "test", context)
            say("wrote")
            await store.close(opening.incarnation)
        } catch let error as StoreError {
            say("\(error.kind): \(error.message)")
        } catch {
            say("something else: \(error)")
        }
    }

    /// Opens the database, issues a lease, and says what that cost: microseconds, and KiB of memory.
    func measure() async throws {
        let before = Self.residentKibibytes
        let start = ContinuousClock.now
        let manager = LeaseManager(store: store)
        _ = try await manager.mountSessions(at: "measured").issue("first")
        let took = ContinuousClock.now - start
        say("\(Int(took / .microseconds(1))) \(Self.residentKibibytes - before)")
    }

    /// How much of the process lies in memory.
    private static var residentKibibytes: Int {
        let file = fopen("/proc/self/statm", "r")
        defer { if let file { fclose(file) } }
        var text = [CChar](repeating: 0, count: 128)
        guard let file, fgets(&text, 128, file) != nil else { return 0 }
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
            separator: " "
        )
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_024 : 0
    }
}
