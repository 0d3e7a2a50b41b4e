// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// The Python that `Tests/run` sets up, with botocore and moto.
enum Python {
    struct Trouble: Error, CustomStringConvertible { let description: String }

    /// Found from this file: Tests/LeaseKitAWSTests/Support/Python.swift.
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    private static let tools = tests.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".build/python-tools/bin")

    static func script(_ name: String) -> String { tests.appendingPathComponent("Python/\(name)").path }

    static func executable(_ name: String) throws -> URL {
        let url = tools.appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: url.path) else {
            throw Trouble(description: "there is no \(url.path): start the tests with Tests/run, which installs it")
        }
        return url
    }

    /// Runs a script to its end.
    static func run(_ name: String, _ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = try executable("python3")
        process.arguments = [script(name)] + arguments
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        guard status == 0 else { throw Trouble(description: "\(name) ended with status \(status)") }
    }
}

/// A folder that goes with its test.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("leasekit-aws-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }
}
