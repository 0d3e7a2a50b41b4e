// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CRawSQLite
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Makes every sync of SQLite in this process take longer: the ones here may be unusually cheap.
///
/// A layer under SQLite, so that it slows the raw baseline down as much as the store.
enum SlowSync {
    private static let microseconds = Atomic<UInt32>(0)
    // Written once, by `install()`, before SQLite is used; SQLite reads them from then on.
    nonisolated(unsafe) private static var system: UnsafeMutablePointer<sqlite3_vfs>?
    nonisolated(unsafe) private static var slow = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    // One copy for databases and one for everything else, which is not locked and has methods of its own.
    nonisolated(unsafe) private static var methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 2)
    nonisolated(unsafe) private static var sync: (@convention(c) (UnsafeMutablePointer<sqlite3_file>?, Int32) -> Int32)?

    /// Puts the layer in place.
    static func install() {
        guard system == nil, let found = sqlite3_vfs_find(nil) else { return }
        system = found
        slow.initialize(to: found.pointee)
        slow.pointee.zName = UnsafePointer(strdup("slow"))
        slow.pointee.xOpen = { _, name, file, flags, outFlags in
            guard let system = SlowSync.system, let file else { return SQLITE_CANTOPEN }
            let code = system.pointee.xOpen(system, name, file, flags, outFlags)
            if code == SQLITE_OK, let own = file.pointee.pMethods {
                SlowSync.sync = own.pointee.xSync
                let copy = SlowSync.methods + (flags & SQLITE_OPEN_MAIN_DB == 0 ? 1 : 0)
                copy.initialize(to: own.pointee)
                copy.pointee.xSync = { file, flags in
                    let delay = SlowSync.microseconds.load(ordering: .relaxed)
                    if delay > 0 { usleep(delay) }
                    return SlowSync.sync?(file, flags) ?? SQLITE_OK
                }
                file.pointee.pMethods = UnsafePointer(copy)
            }
            return code
        }
        sqlite3_vfs_register(slow, 1)
    }

    /// How much longer a sync takes from now on.
    static func add(_ delay: Duration) {
        microseconds.store(UInt32(delay / .microseconds(1)), ordering: .relaxed)
    }
}
