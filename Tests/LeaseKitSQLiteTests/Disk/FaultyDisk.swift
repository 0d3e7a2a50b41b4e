// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting

/// A disk in memory, under SQLite, that fails, tears and loses writes as it is told.
///
/// Give ``hooks`` to a store, and its database and log lie here; its lock and epoch file stay on the real disk.
///
///     let disk = FaultyDisk(seed: 1)
///     let store = SQLiteLeaseStore(path: path, hooks: disk.hooks, isInline: true)
///     …
///     disk.cut(.leavesAnything)    // every call fails from now on
///     await store.drop()           // what the end of its process does to a store
///     disk.restart()               // a new store on the same path finds what is left
///
/// `disk.cut(.leavesAll)` is the end of a process alone.
final class FaultyDisk: Sendable {
    /// The name under which SQLite knows it.
    let name: String
    private let state: Locked<State>

    fileprivate struct State {
        var files: [String: DiskFile] = [:]
        /// What was deleted, while the deletion itself is not synced.
        var deleted: [String: DiskFile] = [:]
        var random: SeededGenerator
        var changes = 0
        /// Grows with each cut; files that were opened before it are dead.
        var life = 0
        var isUp = true
        var plan: (@Sendable (DiskCall) -> DiskAnswer)?
    }

    init(seed: UInt64 = 1) {
        name = "faulty-\(LeaseID.random().text)"
        state = Locked(State(random: SeededGenerator(seed: seed)))
        register()
    }

    deinit { unregister() }

    /// Puts a store on this disk.
    var hooks: CommitHooks {
        var hooks = CommitHooks()
        putUnder(&hooks)
        return hooks
    }

    /// Puts a store with hooks of its own on this disk.
    func putUnder(_ hooks: inout CommitHooks) {
        hooks.disk = name
        // SQLite knows the disk by its name alone; the store keeps it alive through this.
        hooks.begin = { [before = hooks.begin, self] in withExtendedLifetime(self) { before?() } }
    }

    /// Decides from now on what becomes of each call; nil for a disk without faults.
    func plan(_ plan: (@Sendable (DiskCall) -> DiskAnswer)?) { state.withLock { $0.plan = plan } }

    /// How many calls so far could change what is on the disk.
    var changes: Int { state.withLock { $0.changes } }

    /// The bytes of a file as a program sees them.
    func content(of path: String) -> [UInt8] { state.withLock { $0.files[path]?.content ?? [] } }

    /// The bytes of a file that a power cut would leave for sure; nil when there would be none.
    func safeContent(of path: String) -> [UInt8]? { state.withLock { $0.files[path]?.synced } }

    /// Has a file be what it is elsewhere, safely on the disk: a copy that is put in its place.
    func put(_ content: [UInt8]?, at path: String) {
        state.withLock { $0.files[path] = content.map { DiskFile(synced: $0) } }
    }

    /// Cuts the power; everything fails until ``restart()``.
    func cut(_ cut: PowerCut) { state.withLock { $0.cut(cut) } }

    /// Brings the power back.
    func restart() { state.withLock { $0.isUp = true } }

    // MARK: - What SQLite asks

    var life: Int { state.withLock { $0.life } }

    func open(_ path: String) -> Int32 {
        perform(.open, path, life: nil) { state, _ in
            if state.files[path] == nil { state.files[path] = DiskFile() }
        }
    }

    func exists(_ path: String) -> Bool { state.withLock { $0.isUp && $0.files[path] != nil } }

    func size(_ path: String, life: Int) -> Int? {
        state.withLock { $0.isUp && $0.life == life ? $0.files[path]?.content.count : nil }
    }

    func read(_ path: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int, life: Int) -> Int32 {
        var bytes: ArraySlice<UInt8> = []
        let code = perform(.read, path, life: life) { state, _ in
            let content = state.files[path]?.content ?? []
            bytes = content[min(offset, content.count)..<min(offset + buffer.count, content.count)]
        }
        if code != SQLITE_OK { return code }
        buffer.copyBytes(from: bytes)
        if bytes.count == buffer.count { return SQLITE_OK }
        // The rest reads as zero.
        UnsafeMutableRawBufferPointer(rebasing: buffer[bytes.count...]).initializeMemory(as: UInt8.self, repeating: 0)
        return SQLITE_IOERR | (2 << 8)
    }

    func write(_ path: String, _ bytes: [UInt8], at offset: Int, life: Int) -> Int32 {
        perform(.write, path, life: life) { state, isTorn in
            let part = isTorn ? DiskFile.part(of: bytes.count, &state.random) : 0..<bytes.count
            state.files[path]?.write(Array(bytes[part]), at: offset + part.lowerBound)
        }
    }

    func truncate(_ path: String, to size: Int, life: Int) -> Int32 {
        perform(.truncate, path, life: life) { state, _ in state.files[path]?.truncate(to: size) }
    }

    func sync(_ path: String, life: Int) -> Int32 {
        perform(.sync, path, life: life) { state, _ in
            // The first sync of a new file is one of its directory, too.
            if state.files[path]?.synced == nil { state.deleted = [:] }
            state.files[path]?.sync()
        } onFailure: { state in
            state.files[path]?.failToSync()
        }
    }

    func delete(_ path: String, isSynced: Bool) -> Int32 {
        perform(.delete, path, life: nil) { state, _ in
            guard let file = state.files.removeValue(forKey: path) else { return }
            state.deleted[path] = isSynced ? nil : file
        }
    }

    /// Answers one call as the plan says.
    private func perform(
        _ kind: DiskCall.Kind,
        _ path: String,
        life: Int?,
        _ body: (inout State, _ isTorn: Bool) -> Void,
        onFailure: (inout State) -> Void = { _ in }
    ) -> Int32 {
        state.withLock { state in
            guard state.isUp, life == nil || life == state.life else { return SQLITE_IOERR }
            if kind.isChange { state.changes += 1 }
            let call = DiskCall(kind: kind, file: DiskCall.File(path), number: state.changes)
            switch state.plan?(call) ?? .done {
            case .done:
                body(&state, false)
                return SQLITE_OK
            case .fail(let code):
                onFailure(&state)
                return code
            case .tear(let code):
                body(&state, true)
                return code
            case .lie(let code):
                body(&state, false)
                return code
            case .cut(let cut):
                // The write that the power cut interrupts is one of those that were not synced.
                if kind == .write { body(&state, false) }
                state.cut(cut)
                return SQLITE_IOERR
            }
        }
    }
}

extension FaultyDisk.State {
    fileprivate mutating func cut(_ cut: PowerCut) {
        life += 1
        isUp = false
        plan = nil
        for path in files.keys.sorted() { files[path] = files[path]?.afterCut(cut, &random) }
        for path in deleted.keys.sorted() where files[path] == nil {
            // A deletion is a change of the directory, which may be lost, too.
            let isBack = cut == .leavesNothing || cut == .leavesAnything && random.chance(0.5)
            if isBack { files[path] = deleted[path]?.afterCut(cut, &random) }
        }
        deleted = [:]
    }
}
