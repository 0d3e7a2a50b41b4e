// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Asks a ``TargetServer``.
package struct TargetClient: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// Why a question has no answer.
    package enum Trouble: Error {
        /// It never got to the target.
        case notSent
        /// It may have.
        case noAnswer
    }

    /// Asks, and waits for the answer; blocks the thread.
    package func ask(_ line: String) throws(Trouble) -> [String] {
        let file = socket(AF_UNIX, SocketAddress.stream, 0)
        guard file >= 0 else { throw .notSent }
        defer { close(file) }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        guard SocketAddress(path).use({ connect(file, $0, $1) }) == 0 else { throw .notSent }
        writeAll(file, line + "\n")
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            if count < 0 { throw .noAnswer }
            if count == 0 { break }
            bytes += buffer[0..<count]
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Asks on a thread of its own, so that nobody else has to wait.
    func ask(later line: String) async throws -> String? {
        try await withCheckedThrowingContinuation { continuation in
            let client = self
            onOwnThread {
                continuation.resume(with: Result { try client.ask(line).first })
            }
        }
    }
}

/// Runs `body` on a new thread.
private func onOwnThread(_ body: @escaping @Sendable () -> Void) {
    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let context = Unmanaged.passRetained(Work(body)).toOpaque()
    #if canImport(Darwin)
        var thread: pthread_t?
        let main: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { context in
            Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }
        pthread_create(&thread, nil, main, context)
        if let thread { pthread_detach(thread) }
    #else
        var thread = pthread_t()
        let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
            if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
            return nil
        }
        pthread_create(&thread, nil, main, context)
        pthread_detach(thread)
    #endif
}

/// The address of a socket in the file system.
struct SocketAddress {
    private var address = sockaddr_un()

    #if canImport(Darwin)
        static let stream = SOCK_STREAM
    #else
        static let stream = Int32(SOCK_STREAM.rawValue)
    #endif

    init(_ path: String) {
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: Array(path.utf8).prefix(room.count - 1))
        }
    }

    func use(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafeBytes(of: address) { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return body(start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}

func writeAll(_ file: Int32, _ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        if count <= 0 { return }
        bytes = bytes.dropFirst(count)
    }
}

/// One line; nil when the other side is gone before its end.
func readLine(_ file: Int32) -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(file, &byte, 1) == 1 {
        if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(byte)
    }
    return nil
}
