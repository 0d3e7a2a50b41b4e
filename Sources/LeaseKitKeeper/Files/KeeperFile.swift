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

/// The file of a keeper, locked: reads and replaces it as a whole.
///
/// It blocks. Nothing of the table stays in memory between two calls.
struct KeeperFile: Sendable {
    let path: String
    private let id: String
    private let folder: SafeFolder
    private let name: String
    private let lock: SafeFile
    private let hook: FileStep.Hook
    private let maximumSealings: UInt64
    /// What the file may be under; the first is what the next write is under.
    private var keys: [DerivedKeys]
    /// The newest revision that was seen: an older one is a copy that somebody put back.
    private(set) var revision: UInt64
    /// Whether the last write may not be on the disk, though it can be read.
    private var isDoubtful = false

    private var temporaryName: String { name + ".new" }

    /// Opens the folder and locks the file, which need not be there.
    init(
        path: String,
        id: String,
        keys: [KeeperKey],
        minimumRevision: UInt64,
        maximumSealings: UInt64,
        hook: @escaping FileStep.Hook
    ) throws(SecretKeeperError) {
        let cut = path.lastIndex(of: "/")
        name = cut.map { String(path[path.index(after: $0)...]) } ?? path
        guard !name.isEmpty, name != ".", name != "..", !path.contains("\0") else {
            throw SecretKeeperError(.notRegularFile, "“\(path)” names no file: give the path of one.")
        }
        self.path = path
        self.id = id
        self.hook = hook
        self.maximumSealings = maximumSealings
        revision = minimumRevision
        self.keys = []
        do {
            for key in keys { self.keys.append(try DerivedKeys(key, id: id)) }
        } catch {
            throw KeeperImage.cannotSeal(error)
        }
        folder = try SafeFolder(cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ".")
        lock = try Self.locked(name + ".lock", in: folder)
        // A process that died left it; nobody has read it.
        try folder.remove(temporaryName)
        // It may also have died between a rename and the folder's sync. What is answered from here on is on the disk.
        try folder.sync()
    }

    // The lock is a file of its own, because the keeper's is replaced at each write. It is never removed.
    private static func locked(_ name: String, in folder: SafeFolder) throws(SecretKeeperError) -> SafeFile {
        let path = "\(folder.path)/\(name)"
        let file = try SafeFile.open(name, at: folder.descriptor, flags: O_RDWR | O_CREAT, path: path)
        guard let file else { throw FileTrouble.error("create \(path)", ENOENT) }
        try file.lock()
        // Somebody removed it in between: then the next one would lock another file.
        guard try file.isStill(name, at: folder.descriptor) else {
            throw SecretKeeperError(.locked, "\(path) was removed at this moment: leave it there, and try again.")
        }
        return file
    }

    /// Reads the file; nil when there is none.
    mutating func read() throws(SecretKeeperError) -> KeeperImage? {
        let file = try SafeFile.open(name, at: folder.descriptor, flags: O_RDONLY, path: path)
        guard let file else { return nil }
        let bytes = try file.read(limit: KeeperImage.maximumFile + 1)
        let (image, key) = try KeeperImage.open(bytes, id: id, keys: keys, path: path)
        guard image.revision >= revision else {
            throw SecretKeeperError(
                .rolledBack,
                "\(path) has revision \(image.revision), and \(revision) was there before: somebody put an older copy back. "
                    + "Restore the newest, or open it for what it is."
            )
        }
        revision = image.revision
        guard isDoubtful || key != 0 else { return image }
        return try write(image.table, after: image, key: key)
    }

    /// Replaces the file; after an error other than `unknownOutcome` it is as it was.
    ///
    /// - Parameters:
    ///   - table: What it is to hold.
    ///   - image: What it holds; nil for a new file.
    ///   - key: Which key that is under.
    @discardableResult
    mutating func write(
        _ table: KeeperTable,
        after image: KeeperImage?,
        key: Int = 0
    ) throws(SecretKeeperError) -> KeeperImage {
        let next = KeeperImage(
            table: table,
            revision: max(image?.revision ?? 0, revision) + 1,
            sealings: key == 0 ? (image?.sealings ?? 0) + 1 : 1
        )
        guard next.sealings <= maximumSealings else {
            throw SecretKeeperError(
                .keyExhausted,
                "This key has sealed \(path) \(maximumSealings) times, which is as often as is safe: rekey to a new one."
            )
        }
        guard table.encodedLength <= KeeperImage.maximumTable else {
            throw SecretKeeperError(
                .keeperFull,
                "\(path) would pass 1 MiB: remove secrets that are not needed any more."
            )
        }
        let bytes: [UInt8]
        do { bytes = try next.sealed(id: id, keys: keys[0]) } catch { throw KeeperImage.cannotSeal(error) }
        try prepare(bytes)
        isDoubtful = true
        do {
            try folder.rename(temporaryName, to: name)
            try hook(.renamed)
            try folder.sync()
            try hook(.folderSynced)
        } catch {
            throw SecretKeeperError(
                .unknownOutcome,
                "It is not known whether \(path) was replaced for good: see to the disk, then make the same call again.",
                underlying: error
            )
        }
        isDoubtful = false
        revision = next.revision
        keys.removeLast(keys.count - 1)
        return next
    }

    /// Has the bytes on the disk, under another name.
    private func prepare(_ bytes: [UInt8]) throws(SecretKeeperError) {
        do {
            try hook(.beginning)
            try folder.remove(temporaryName)
            let flags = O_WRONLY | O_CREAT | O_EXCL
            let path = path + ".new"
            let file = try SafeFile.open(temporaryName, at: folder.descriptor, flags: flags, path: path)
            try file?.write(bytes)
            try hook(.written)
            try file?.sync()
            try hook(.synced)
        } catch {
            // If it stays, the next write removes it.
            try? folder.remove(temporaryName)
            throw error
        }
    }

    /// Writes everything under another key.
    mutating func rekey(to key: KeeperKey) throws(SecretKeeperError) {
        let new: DerivedKeys
        do { new = try DerivedKeys(key, id: id) } catch { throw KeeperImage.cannotSeal(error) }
        guard let image = try read() else { throw vanished }
        if keys[0].tag == new.tag { return }
        let old = keys
        // The new one first; the old one too, until it is known that the file is under the new one.
        keys = [new] + old
        do {
            try write(image.table, after: image, key: 1)
        } catch {
            if error.code != .unknownOutcome { keys = old }
            throw error
        }
    }

    var vanished: SecretKeeperError {
        SecretKeeperError(.missing, "\(path) has been removed while it was in use: restore the newest copy.")
    }
}
