// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CRawSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The baseline: one table with a key and a blob, through SQLite's C API, one synced commit an operation.
final class RawDatabase {
    private var database: OpaquePointer?
    private var insert: OpaquePointer?
    private var count: Int64 = 0

    init(path: String) {
        sqlite3_open(path, &database)
        let sql = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        sqlite3_exec(database, sql + "CREATE TABLE t (id INTEGER PRIMARY KEY, record BLOB)", nil, nil, nil)
        sqlite3_prepare_v2(database, "INSERT INTO t VALUES (?1, zeroblob(200))", -1, &insert, nil)
    }

    deinit {
        sqlite3_finalize(insert)
        sqlite3_close(database)
    }

    /// Nanoseconds a commit.
    func commit(_ times: Int) -> Double {
        let start = ContinuousClock.now
        for _ in 0..<times {
            count += 1
            sqlite3_bind_int64(insert, 1, count)
            sqlite3_step(insert)
            sqlite3_reset(insert)
        }
        return (ContinuousClock.now - start).nanoseconds / Double(times)
    }
}

/// A directory for one measurement, beside the program so that no memory file system flatters it.
final class ScratchDirectory {
    let path: String

    init() {
        var template = Array("/var/tmp/leasekit-bench-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["raw", "leases", "raw-true", "raw-false"] {
            for suffix in ["", "-wal", "-shm", "-lock", "-epoch"] { unlink("\(path)/\(name)\(suffix)") }
        }
        rmdir(path)
    }

    /// Copies a file that nobody has open.
    func copy(_ name: String, to other: String) throws {
        let (source, target) = (open("\(path)/\(name)", O_RDONLY), open("\(path)/\(other)", O_WRONLY | O_CREAT, 0o600))
        defer { for file in [source, target] { close(file) } }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count == 0 { return }
            guard count > 0, write(target, buffer, count) == count else { throw NoCopy(code: errno) }
        }
    }

    struct NoCopy: Error { let code: Int32 }

    func size(_ name: String) -> Int {
        var facts = stat()
        return stat("\(path)/\(name)", &facts) == 0 ? Int(facts.st_size) : 0
    }
}

/// Has the system write everything to the disk that waits for it.
func writeEverything() { sync() }
