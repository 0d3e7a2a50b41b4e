// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder for one run of the example, which goes with it.
final class Folder: Sendable {
    private let path: String
    private let isOurs: Bool

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("quickstart-\(UUID().uuidString)").path
        isOurs = true
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// The folder of the process that started this one.
    init(existing path: String) {
        self.path = path
        isOurs = false
    }

    deinit {
        if isOurs { try? FileManager.default.removeItem(atPath: path) }
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    func make(_ name: String) { _ = FileManager.default.createFile(atPath: file(name), contents: nil) }

    func remove(_ name: String) -> Bool { (try? FileManager.default.removeItem(atPath: file(name))) != nil }

    /// Starts this very program once more, in this folder, and waits for its end.
    func runAgain(_ argument: String) throws -> (id: Int32, wasKilled: Bool) {
        let process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = [argument, path]
        try process.run()
        process.waitUntilExit()
        return (process.processIdentifier, process.terminationReason == .uncaughtSignal)
    }
}

/// Runs `body` in real time, on threads of its own, and waits for it.
func onOwnThread(_ body: @escaping @Sendable () async throws -> Void) throws {
    let isOver = DispatchSemaphore(value: 0)
    let outcome = Outcome()
    Task.detached {
        do { try await body() } catch { outcome.error = error }
        isOver.signal()
    }
    isOver.wait()
    if let error = outcome.error { throw error }
}

/// What a body came to.
///
/// Unchecked, because the semaphore keeps the two threads apart: one writes before it signals, the other reads after that.
private final class Outcome: @unchecked Sendable {
    var error: (any Error)?
}
