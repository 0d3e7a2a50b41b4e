// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The rules for paths: what one may look like, and what lies under another.
///
/// A path is made of segments with a `/` between them: `database/creds/app`. It names a kind of credential, never one
/// credential, and holds no secret.
public enum LeasePath: Sendable {
    /// The longest path, in bytes.
    public static let maximumLength = 512

    /// Checks a path.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/invalidPath`` and a sentence that names the fix.
    public static func validate(_ path: String) throws(LeaseError) {
        if let problem = problem(in: path) {
            throw LeaseError(.invalidPath, "the path \(quoted(path)) \(problem)")
        }
    }

    /// Whether a path is the prefix or lies below it, by whole segments.
    ///
    /// The empty prefix holds everything.
    public static func lies(_ path: String, under prefix: String) -> Bool {
        if prefix.isEmpty { return true }
        let (path, prefix) = (path.utf8, prefix.utf8)
        guard path.starts(with: prefix) else { return false }
        return path.count == prefix.count || path.dropFirst(prefix.count).first == UInt8(ascii: "/")
    }

    /// Joins a mount's path and a path below it; the second may be empty.
    public static func join(_ mount: String, _ below: String) -> String {
        if below.isEmpty { return mount }
        let (first, second) = (mount.utf8, below.utf8)
        return String(unsafeUninitializedCapacity: first.count + 1 + second.count) { buffer in
            _ = buffer.initialize(from: first)
            buffer.initializeElement(at: first.count, to: UInt8(ascii: "/"))
            _ = UnsafeMutableBufferPointer(rebasing: buffer[(first.count + 1)...]).initialize(from: second)
            return buffer.count
        }
    }

    /// What of a path lies below a mount whose own path is that long; empty for the mount's own.
    static func below(_ mount: Int, _ path: String) -> String {
        if path.utf8.count <= mount { return "" }
        let rest = path.utf8.withContiguousStorageIfAvailable { whole in
            String(decoding: UnsafeBufferPointer(rebasing: whole[(mount + 1)...]), as: UTF8.self)
        }
        return rest ?? String(decoding: path.utf8.dropFirst(mount + 1), as: UTF8.self)
    }

    /// Whether a path is good: one pass, no memory.
    ///
    /// What is wrong with one that is not is found out afterwards.
    private static func isGood(_ path: String) -> Bool {
        path.utf8.withContiguousStorageIfAvailable { isGood($0) } ?? isGood(path.utf8)
    }

    private static func isGood(_ path: some Collection<UInt8>) -> Bool {
        var (length, dots) = (0, 0)
        // An empty segment, "." and "..": nothing but dots, and at most two.
        var isSegmentGood: Bool { length > 2 || length != dots }
        for byte in path {
            if byte < 0x20 || byte == 0x7F { return false }
            if byte == UInt8(ascii: "/") {
                if !isSegmentGood { return false }
                (length, dots) = (0, 0)
            } else {
                length += 1
                if byte == UInt8(ascii: ".") { dots += 1 }
            }
        }
        return isSegmentGood && path.count <= maximumLength
    }

    private static func problem(in path: String) -> String? {
        if isGood(path) { return nil }
        if path.isEmpty { return "is empty; give it at least one segment, such as \"database\"" }
        if path.utf8.count > maximumLength {
            return "is \(path.utf8.count) bytes long; keep it within \(maximumLength)"
        }
        for byte in path.utf8 where byte < 0x20 || byte == 0x7F {
            return "contains the control character 0x\(String(byte, radix: 16)); remove it"
        }
        for segment in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if segment.isEmpty { return "has an empty segment; remove leading, trailing and doubled slashes" }
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) {
                return "has a \"\(String(decoding: segment, as: UTF8.self))\" segment; write the path out"
            }
        }
        return nil
    }

    /// The path for a message: cut short, with control characters made visible.
    private static func quoted(_ path: String) -> String {
        let shown = path.unicodeScalars.prefix(64).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }
            .joined()
        return "\"\(shown)\(path.unicodeScalars.count > 64 ? "…" : "")\""
    }
}
