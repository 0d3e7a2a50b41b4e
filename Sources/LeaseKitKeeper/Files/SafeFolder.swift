// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The folder of a keeper, held open: whoever moves it meanwhile does not redirect the keeper.
final class SafeFolder: Sendable {
    let descriptor: Int32
    let path: String

    /// Opens a folder in which nobody else can exchange files.
    init(_ path: String) throws(SecretKeeperError) {
        self.path = path
        descriptor = SafeFile.retrying { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw SecretKeeperError(.missing, "There is no folder \(path): create it with mode 0700.")
            }
            throw FileTrouble.error("open \(path)")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileTrouble.error("look at \(path)") }
        let isSticky = status.st_mode & S_ISVTX != 0
        guard status.st_uid == geteuid() || status.st_uid == 0, isSticky || status.st_mode & 0o022 == 0 else {
            throw SecretKeeperError(
                .permissionsTooOpen,
                "Others can exchange files in \(path): chown it to this process's user and chmod go-w it."
            )
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Has the folder's entries on the disk when it returns.
    func sync() throws(SecretKeeperError) {
        guard SafeFile.sync(descriptor) else { throw FileTrouble.error("write \(path)") }
    }

    /// Removes a file if it is there.
    func remove(_ name: String) throws(SecretKeeperError) {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw FileTrouble.error("remove \(path)/\(name)")
        }
    }

    /// Gives a file another name, and replaces what has that name.
    func rename(_ old: String, to new: String) throws(SecretKeeperError) {
        guard renameat(descriptor, old, descriptor, new) == 0 else {
            throw FileTrouble.error("rename \(path)/\(old) to \(new)")
        }
    }
}
