// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// A keeper in one encrypted file on this machine's disk.
///
/// ```swift
/// let key = try KeeperKey(contentsOfFile: "/etc/billing/keeper.key")
/// let keeper = try await FileSecretKeeper.open(at: "/var/lib/billing/keeper", id: "billing", key: key)
/// ```
///
/// One process at a time has it open. Every change writes a new file beside the old one and puts it in its place, so that
/// a crash leaves one or the other. Calls are not interrupted by cancellation, and block no thread of the shared pool.
/// See the module's page for what the file protects from and what it does not.
public final class FileSecretKeeper: SecretKeeper {
    private let thread = SerialThread()
    /// Held during a call, all of which are on one thread; nil after the end.
    private let file: Locked<KeeperFile?>
    private let newest: Locked<UInt64>
    private let path: String

    private init(_ file: KeeperFile) {
        path = file.path
        newest = Locked(file.revision)
        self.file = Locked(file)
    }

    /// Opens a keeper, or creates it.
    ///
    /// The folder has to be there, belong to this process's user or root, and be writable for nobody else. Two files are
    /// made: the keeper, with mode 0600, and an empty one beside it with `.lock` at its end, which stays.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - id: Which keeper it is, such as `billing-production`: 1 to 64 visible ASCII characters, bound to the file. With
    ///     it, one keeper's file put in another's place is noticed. It is not secret.
    ///   - key: What it is encrypted under.
    ///   - formerKeys: Keys that it may still be under; it is written again under `key` then.
    ///   - isCreatable: Whether a keeper that is not there is created. With false, a disk that was not mounted is noticed.
    ///   - minimumRevision: What ``revision`` was when you last looked, if you remember it elsewhere: an older copy of the
    ///     file is refused then, and so is a missing one.
    public static func open(
        at path: String,
        id: String,
        key: KeeperKey,
        formerKeys: [KeeperKey] = [],
        isCreatable: Bool = true,
        minimumRevision: UInt64 = 0
    ) async throws(SecretKeeperError) -> FileSecretKeeper {
        try await open(
            at: path,
            id: id,
            keys: [key] + formerKeys,
            isCreatable: isCreatable,
            minimumRevision: minimumRevision,
            hook: { _ in }
        )
    }

    /// Opens a keeper whose writes tell a test how far they are.
    ///
    /// After 2³² writes, two random nonces of 96 bits under one key become likelier than 2⁻³²: that is the limit.
    package static func open(
        at path: String,
        id: String,
        keys: [KeeperKey],
        isCreatable: Bool = true,
        minimumRevision: UInt64 = 0,
        maximumSealings: UInt64 = 1 << 32,
        hook: @escaping @Sendable (FileStep) throws(SecretKeeperError) -> Void
    ) async throws(SecretKeeperError) -> FileSecretKeeper {
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SecretKeeperError(.invalidName, "A keeper's id is made of 1 to 64 visible ASCII characters.")
        }
        return try await perform(on: SerialThread()) { () throws(SecretKeeperError) in
            var file = try KeeperFile(
                path: path,
                id: id,
                keys: keys,
                minimumRevision: minimumRevision,
                maximumSealings: maximumSealings,
                hook: hook
            )
            if try file.read() == nil {
                guard isCreatable, minimumRevision == 0 else {
                    throw SecretKeeperError(
                        .missing,
                        "There is no keeper at \(path), and it may not be created: mount its disk, or restore the newest copy."
                    )
                }
                try file.write(KeeperTable(), after: nil)
            }
            return FileSecretKeeper(file)
        }
    }

    /// Closes the file, after the calls that were made before; later ones fail with `closed`.
    ///
    /// Without it, the file is closed with the last reference.
    public func close() async {
        await withCheckedContinuation { continuation in
            thread.submit {
                self.file.withLock { $0 = nil }
                continuation.resume()
            }
        }
    }

    /// How often the file was written: it only grows.
    ///
    /// Remember it elsewhere and an old copy of the file is noticed at the next start, too.
    public var revision: UInt64 { newest.withLock { $0 } }

    /// The names under which something is kept, sorted.
    public func names() async throws(SecretKeeperError) -> [String] {
        try await read { table throws(SecretKeeperError) in table.entries.keys.sorted() }
    }

    /// Encrypts everything under another key.
    ///
    /// Have the new key where the next start finds it before you call this, with the old one among the `formerKeys`: after
    /// a crash the file is under one or the other. Never go back to a key that was in use before.
    public func rekey(to key: KeeperKey) async throws(SecretKeeperError) {
        try await perform { file throws(SecretKeeperError) in try file.rekey(to: key) }
    }

    /// What is kept under a name.
    public func load(_ name: String) async throws(SecretKeeperError) -> KeptSecrets {
        try await read { table throws(SecretKeeperError) in try table.load(name) }
    }

    /// Keeps a new secret beside the committed one.
    public func stage(
        _ secret: SecretText,
        as name: String,
        replacing version: UInt64?
    ) async throws(SecretKeeperError) -> UInt64 {
        try await change { table throws(SecretKeeperError) in
            try table.stage(secret, as: name, replacing: version)
        }
    }

    /// Makes the staged secret the committed one.
    public func commit(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try await change { table throws(SecretKeeperError) in try table.commit(name, version: version) }
    }

    /// Forgets the staged secret.
    public func discard(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try await change { table throws(SecretKeeperError) in try table.discard(name, version: version) }
    }

    /// Forgets a name.
    public func remove(_ name: String, version: UInt64) async throws(SecretKeeperError) {
        try await change { table throws(SecretKeeperError) in try table.remove(name, version: version) }
    }
}

extension FileSecretKeeper {
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (KeeperTable) throws(SecretKeeperError) -> Value
    ) async throws(SecretKeeperError) -> Value {
        try await perform { file throws(SecretKeeperError) in
            guard let image = try file.read() else { throw file.vanished }
            return try body(image.table)
        }
    }

    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (inout KeeperTable) throws(SecretKeeperError) -> Value
    ) async throws(SecretKeeperError) -> Value {
        try await perform { file throws(SecretKeeperError) in
            guard let image = try file.read() else { throw file.vanished }
            var table = image.table
            let value = try body(&table)
            if table != image.table { try file.write(table, after: image) }
            return value
        }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (inout KeeperFile) throws(SecretKeeperError) -> Value
    ) async throws(SecretKeeperError) -> Value {
        try await Self.perform(on: thread) { () throws(SecretKeeperError) in
            try self.file.withLock { file throws(SecretKeeperError) in
                guard var open = file else {
                    throw SecretKeeperError(.closed, "The keeper at \(self.path) was closed: open it again.")
                }
                defer {
                    self.newest.withLock { $0 = open.revision }
                    file = open
                }
                return try body(&open)
            }
        }
    }

    /// Runs a call on a thread that may block.
    private static func perform<Value: Sendable>(
        on thread: SerialThread,
        _ body: @escaping @Sendable () throws(SecretKeeperError) -> Value
    ) async throws(SecretKeeperError) -> Value {
        let result: Result<Value, SecretKeeperError> = await withCheckedContinuation { continuation in
            thread.submit {
                do throws(SecretKeeperError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
