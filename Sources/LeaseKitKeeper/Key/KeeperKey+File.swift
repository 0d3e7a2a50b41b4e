// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

extension KeeperKey {
    /// Reads a key from a file of exactly 32 bytes that nobody but its owner, the user of this process, can open.
    ///
    /// A file that others may read, that belongs to somebody else, or that is a symbolic link is refused. It blocks while
    /// it reads. Keep the key on another disk, or in another backup, than the keeper: together they are no secret.
    public init(contentsOfFile path: String) throws(SecretKeeperError) {
        let file = try SafeFile.open(path)
        guard let file else {
            throw SecretKeeperError(.missing, "There is no key at \(path): create it, or correct the path.")
        }
        // One byte more than it should have is enough to know.
        var bytes = try file.read(limit: Self.byteCount + 1)
        defer { WipedBytes.wipe(&bytes) }
        try self.init(bytes)
    }
}
