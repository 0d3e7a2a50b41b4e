// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKitAWS
import Synchronization

/// An emulator of AWS in a process of its own, which can make the same calls with botocore.
final class Emulator {
    let address: String
    private let process = Process()
    private let (input, output) = (Pipe(), Pipe())

    /// Nil when the tools are not there.
    init?() throws {
        // From Examples/Benchmarks/Sources/Benchmarks/Setting/Emulator.swift.
        let package = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let root = package.deletingLastPathComponent().deletingLastPathComponent()
        let python = root.appendingPathComponent(".build/python-tools/bin/python3")
        guard FileManager.default.isExecutableFile(atPath: python.path) else { return nil }
        process.executableURL = python
        process.arguments = [package.appendingPathComponent("Python/aws_baseline.py").path]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 { line.append(byte) }
        address = "http://127.0.0.1:\(String(decoding: line, as: UTF8.self))"
    }

    /// The seconds that botocore takes.
    func measure(callers: Int, rounds: Int) throws -> (issue: Double, revoke: Double) {
        try input.fileHandleForWriting.write(contentsOf: Data("\(callers) \(rounds)\n".utf8))
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 { line.append(byte) }
        let numbers = String(decoding: line, as: UTF8.self).split(separator: " ").compactMap { Double($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (.nan, .nan)
    }

    func stop() { try? input.fileHandleForWriting.close() }
}

/// Counts requests on their way.
final class CountingTransport: AWSTransport {
    private let transport = URLSessionTransport()
    private let requests = Mutex(0)

    var count: Int { requests.withLock { $0 } }

    func send(_ request: AWSHTTPRequest, timeout: Duration) async throws(AWSTransportError) -> AWSHTTPResponse {
        requests.withLock { $0 += 1 }
        return try await transport.send(request, timeout: timeout)
    }
}
