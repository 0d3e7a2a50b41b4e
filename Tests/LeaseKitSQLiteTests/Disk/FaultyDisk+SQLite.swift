// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of a ``FaultyDisk`` that SQLite has open.
private final class DiskHandle: Sendable {
    let disk: FaultyDisk
    let path: String
    let life: Int
    let goesOnClose: Bool

    init(_ disk: FaultyDisk, _ path: String, goesOnClose: Bool) {
        (self.disk, self.path, self.goesOnClose) = (disk, path, goesOnClose)
        life = disk.life
    }
}

/// What SQLite's layer for file systems (VFS) holds of a disk: nothing that would keep it alive.
private final class DiskReference: @unchecked Sendable {
    // Set once, when the disk is made.
    weak var disk: FaultyDisk?
    init(_ disk: FaultyDisk) { self.disk = disk }
}

extension FaultyDisk {
    /// Makes the disk known to SQLite.
    func register() {
        guard let system = sqlite3_vfs_find(nil) else { return }
        // Random numbers, the time and full paths are the system's.
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: system.pointee)
        vfs.pointee.iVersion = 2
        vfs.pointee.pNext = nil
        vfs.pointee.zName = UnsafePointer(strdup(name))
        vfs.pointee.szOsFile = Int32(Self.slotOffset + MemoryLayout<UnsafeRawPointer?>.size)
        vfs.pointee.pAppData = Unmanaged.passRetained(DiskReference(self)).toOpaque()
        vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
            guard let disk = FaultyDisk.disk(vfs), let file else { return SQLITE_CANTOPEN }
            file.pointee.pMethods = nil
            let path = name.map { String(cString: $0) } ?? "nameless-\(UInt64.random(in: 0 ... .max))"
            let code = disk.open(path)
            if code != SQLITE_OK { return code == SQLITE_IOERR ? SQLITE_CANTOPEN : code }
            let handle = DiskHandle(disk, path, goesOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
            FaultyDisk.slot(file).pointee = UnsafeRawPointer(Unmanaged.passRetained(handle).toOpaque())
            file.pointee.pMethods = UnsafePointer(FaultyDisk.methods)
            outFlags?.pointee = flags
            return SQLITE_OK
        }
        vfs.pointee.xDelete = { vfs, name, isSynced in
            guard let disk = FaultyDisk.disk(vfs), let name else { return SQLITE_IOERR }
            return disk.delete(String(cString: name), isSynced: isSynced != 0)
        }
        vfs.pointee.xAccess = { vfs, name, _, result in
            guard let disk = FaultyDisk.disk(vfs), let name else { return SQLITE_IOERR }
            result?.pointee = disk.exists(String(cString: name)) ? 1 : 0
            return SQLITE_OK
        }
        #expect(sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
    }

    /// Has SQLite forget the disk.
    ///
    /// Its structure stays: this may be called while the last file is being closed.
    func unregister() {
        guard let vfs = sqlite3_vfs_find(name) else { return }
        sqlite3_vfs_unregister(vfs)
    }

    private static func disk(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> FaultyDisk? {
        guard let data = vfs?.pointee.pAppData else { return nil }
        return Unmanaged<DiskReference>.fromOpaque(data).takeUnretainedValue().disk
    }

    // MARK: - Open files

    /// Where the handle lies in SQLite's structure of a file.
    private static let slotOffset = MemoryLayout<sqlite3_file>.stride

    private static func slot(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<UnsafeRawPointer?> {
        (UnsafeMutableRawPointer(file) + slotOffset).assumingMemoryBound(to: UnsafeRawPointer?.self)
    }

    private static func handle(_ file: UnsafeMutablePointer<sqlite3_file>?) -> DiskHandle? {
        guard let file, let handle = slot(file).pointee else { return nil }
        return Unmanaged<DiskHandle>.fromOpaque(handle).takeUnretainedValue()
    }

    // Written once, before SQLite sees it, and only read from then on.
    nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        // Version 1 has no shared memory: the store takes its file for itself and needs none.
        methods.pointee.iVersion = 1
        methods.pointee.xClose = { file in
            guard let file, let pointer = FaultyDisk.slot(file).pointee else { return SQLITE_OK }
            FaultyDisk.slot(file).pointee = nil
            let handle = Unmanaged<DiskHandle>.fromOpaque(pointer).takeRetainedValue()
            if handle.goesOnClose { _ = handle.disk.delete(handle.path, isSynced: false) }
            return SQLITE_OK
        }
        methods.pointee.xRead = { file, buffer, count, offset in
            guard let handle = FaultyDisk.handle(file) else { return SQLITE_IOERR }
            let target = UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))
            return handle.disk.read(handle.path, into: target, at: Int(offset), life: handle.life)
        }
        methods.pointee.xWrite = { file, buffer, count, offset in
            guard let handle = FaultyDisk.handle(file) else { return SQLITE_IOERR }
            let bytes = Array(UnsafeRawBufferPointer(start: buffer, count: Int(count)))
            return handle.disk.write(handle.path, bytes, at: Int(offset), life: handle.life)
        }
        methods.pointee.xTruncate = { file, size in
            guard let handle = FaultyDisk.handle(file) else { return SQLITE_IOERR }
            return handle.disk.truncate(handle.path, to: Int(size), life: handle.life)
        }
        methods.pointee.xSync = { file, _ in
            guard let handle = FaultyDisk.handle(file) else { return SQLITE_IOERR }
            return handle.disk.sync(handle.path, life: handle.life)
        }
        methods.pointee.xFileSize = { file, size in
            guard let handle = FaultyDisk.handle(file),
                let found = handle.disk.size(handle.path, life: handle.life)
            else { return SQLITE_IOERR }
            size?.pointee = sqlite3_int64(found)
            return SQLITE_OK
        }
        // One store has the file at a time, which its own lock sees to.
        methods.pointee.xLock = { _, _ in SQLITE_OK }
        methods.pointee.xUnlock = { _, _ in SQLITE_OK }
        methods.pointee.xCheckReservedLock = { _, isLocked in
            isLocked?.pointee = 0
            return SQLITE_OK
        }
        methods.pointee.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        methods.pointee.xSectorSize = { _ in 4_096 }
        // As on Linux: what lies beside a write that the power cut interrupts is not harmed.
        methods.pointee.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
        return methods
    }()
}
