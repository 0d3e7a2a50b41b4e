// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LeaseKit
import LeaseKitSQLite
import LeaseKitTesting

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A lease database of a simulated deployment, on a disk that loses its power, fails, tears writes and loses answers.
///
/// A process that dies leaves its connection as it is: nothing is closed, no log is folded in.
final class SQLiteDisk: SimulatedDisk {
    private let directory: TemporaryDirectory
    private let path: String
    private let disk: FaultyDisk
    /// Every other table is kept as only large ones are.
    private let options: SQLiteLeaseStore.Options
    private let state: Locked<State>

    fileprivate struct State {
        var random: SeededGenerator
        var trouble = SimulatedDiskTrouble()
        /// The change of the disk at which the power goes.
        var cutAt: Int?
        var hasPower = true
        var copy: (main: [UInt8], log: [UInt8]?)?
    }

    init(seed: UInt64) throws {
        directory = try TemporaryDirectory.inMemory()
        path = directory.file()
        disk = FaultyDisk(seed: seed)
        options = seed % 2 == 0 ? StoreBench.leavingEntries : .init()
        state = Locked(State(random: SeededGenerator(seed: seed &+ 1)))
    }

    func makeStore() async throws -> any LeaseStore {
        // Both hold the state alone: the disk would hold itself otherwise, and stay with all its files.
        var hooks = CommitHooks(after: { [state] in state.withLock { $0.losesAnswer() ? SQLITE_IOERR : nil } })
        disk.putUnder(&hooks)
        let entropy = LeaseEntropy.seeded(state.withLock { $0.random.next() })
        disk.plan { [state] call in state.withLock { $0.answer(call) } }
        return SQLiteLeaseStore(path: path, options: options, hooks: hooks, entropy: entropy, isInline: true)
    }

    func processDidEnd(_ store: any LeaseStore, losingPower: Bool) async {
        // What a power cut in the middle of a call left is left.
        if hasPower { disk.cut(losingPower ? .leavesAnything : .leavesAll) }
        if let store = store as? SQLiteLeaseStore { await store.drop() }
        disk.restart()
        state.withLock { ($0.hasPower, $0.cutAt) = (true, nil) }
    }

    func cutPower(afterChanges count: Int) {
        let at = disk.changes + count
        state.withLock { $0.cutAt = at }
    }

    var hasPower: Bool { state.withLock { $0.hasPower } }

    func setTrouble(_ trouble: SimulatedDiskTrouble) {
        state.withLock { state in
            state.trouble = trouble
            if trouble == SimulatedDiskTrouble() { state.cutAt = nil }
        }
    }

    func makeCopy(isMarked: Bool, of store: any LeaseStore) async throws -> Bool {
        guard let store = store as? SQLiteLeaseStore else { return false }
        let copy: (main: [UInt8], log: [UInt8]?)
        if isMarked {
            let file = directory.file("copy")
            unlink(file)
            try await store.backup(to: file)
            copy = (TemporaryDirectory.read(file), nil)
        } else {
            copy = (disk.content(of: path), disk.content(of: path + "-wal"))
        }
        state.withLock { $0.copy = copy }
        return true
    }

    func putBackCopy() async throws {
        let copy = state.withLock { state in
            defer { state.copy = nil }
            return state.copy
        }
        guard let copy else { return }
        disk.put(copy.main, at: path)
        disk.put(copy.log, at: path + "-wal")
    }
}

extension SQLiteDisk.State {
    fileprivate mutating func losesAnswer() -> Bool { hasPower && random.chance(trouble.lostAnswer) }

    fileprivate mutating func answer(_ call: DiskCall) -> DiskAnswer {
        guard call.kind.isChange else { return .done }
        if let cutAt, call.number >= cutAt {
            (self.cutAt, hasPower) = (nil, false)
            return .cut(.leavesAnything)
        }
        if random.chance(trouble.failure) { return .fail(random.chance(0.5) ? SQLITE_FULL : SQLITE_IOERR) }
        if call.kind == .write, random.chance(trouble.tear) { return .tear(SQLITE_IOERR) }
        return .done
    }
}
