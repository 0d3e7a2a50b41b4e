// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A directory that goes with the object.
final class TemporaryDirectory: Sendable {
    let path: String

    init(in parent: String = "/tmp") throws {
        var template = Array("\(parent)/leasekit-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A directory in memory where there is such a place: for files whose own syncs are not the point.
    static func inMemory() throws -> TemporaryDirectory {
        try TemporaryDirectory(in: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")
    }

    struct Trouble: Error { let code: Int32 }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    func file(_ name: String = "leases.sqlite") -> String { "\(path)/\(name)" }

    /// The names of the files in it.
    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    // MARK: - Files

    static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { readBytes(file, $0.baseAddress, $0.count) }
            if count <= 0 { return bytes }
            bytes += buffer[0..<count]
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw Trouble(code: errno) }
        defer { close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { writeBytes(file, $0.baseAddress, $0.count) }
            if count <= 0 { throw Trouble(code: errno) }
            written += count
        }
    }

    /// Copies a database with its log and, if asked, what lies beside it.
    static func copy(_ source: String, to target: String, suffixes: [String] = ["", "-wal"]) throws {
        for suffix in suffixes where access(source + suffix, F_OK) == 0 {
            try write(read(source + suffix), to: target + suffix)
        }
    }

    static func mode(_ path: String) -> UInt32 {
        var facts = stat()
        return stat(path, &facts) == 0 ? UInt32(facts.st_mode) & 0o777 : 0
    }
}

// Inside the type, `read` and `write` are its own.
private func readBytes(_ file: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(file, start, count)
}
private func writeBytes(_ file: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int { write(file, start, count) }
