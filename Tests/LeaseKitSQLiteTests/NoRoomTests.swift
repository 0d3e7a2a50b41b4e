// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system itself says that there is no room, to a process of its own, and then gives it some.
@Suite("No room for what has to be written")
struct NoRoomTests {
    /// `disk`: a file system that is full, where one can be mounted; `limit`: a file that may grow no further.
    @Test("a typed error, nothing half-done, and on it goes when there is room", arguments: ["disk", "limit"])
    func noRoom(way: String) throws {
        let directory = try TemporaryDirectory()
        let child = try ChildProcess("KillSubject", ["fill", directory.path, way])
        defer { _ = child.waitForEnd() }
        var lines: [String] = []
        while let line = child.line() { lines.append(line) }
        try #require(lines.count == 8, "\(lines)")
        print("no room, by \(lines[0]): \(lines[1]); \(lines[3])")
        for refusal in lines[1...2] {
            // SQLite knows a full disk by its number; any other write that fails may have reached the file.
            #expect(
                lines[0] == "disk"
                    ? refusal.hasPrefix("refused: ") && refusal.contains("is full; free some space")
                    : refusal.hasPrefix("unknown: ") || refusal.hasPrefix("unavailable: "),
                "\(refusal)"
            )
        }
        let answered = try #require(Int(lines[3].split(separator: " ")[1].dropLast()))
        #expect(answered > 5)
        #expect(lines[3] == "answered \(answered), there \(answered), beyond 0, counted \(answered)")
        #expect(lines[4] == "wrote")
        for line in lines[5...6] {
            #expect(line == "answered \(answered + 1), there \(answered + 1), beyond 0, counted \(answered + 1)")
        }
        #expect(lines[7] == "0 flaws, 0 doubts")
    }
}
