// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitAWS

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small HTTP server on a free port of the loopback, which answers as it is told.
final class LoopbackServer: Sendable {
    enum Action: Sendable {
        case answer(AWSHTTPResponse)
        /// The raw bytes, whatever they are; then the connection is closed.
        case raw(String)
        /// Closes without a word.
        case close
        /// Says nothing until the client goes.
        case silence
    }

    struct Received: Sendable {
        let request: AWSHTTPRequest
        let connection: Int
    }

    private struct State: Sendable {
        var received: [Received] = []
        var connections: [Int32] = []
    }

    let port: UInt16
    private let listener: Int32
    private let state = Locked(State())
    private let handler: @Sendable (AWSHTTPRequest) -> Action

    init(_ handler: @escaping @Sendable (AWSHTTPRequest) -> Action) throws {
        self.handler = handler
        #if canImport(Glibc)
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            listener = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var length = size
        let socket = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, size) == 0 && listen(socket, 64) == 0
                    && getsockname(socket, address, &length) == 0
            }
        }
        guard isBound else { throw Python.Trouble(description: "no port on the loopback: \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in acceptAll() }
    }

    var address: String { "http://127.0.0.1:\(port)" }
    var host: String { "127.0.0.1:\(port)" }
    var received: [Received] { state.withLock { $0.received } }

    /// Ends it; the threads go when their connections are closed.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in state.withLock({ $0.connections }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private func acceptAll() {
        var number = 0
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 { break }
            number += 1
            state.withLock { $0.connections.append(connection) }
            Thread.detachNewThread { [self, number] in serve(connection, number) }
        }
        close(listener)
    }

    private func serve(_ connection: Int32, _ number: Int) {
        defer {
            state.withLock { $0.connections.removeAll { $0 == connection } }
            close(connection)
        }
        var buffer: [UInt8] = []
        while let request = read(connection, &buffer) {
            state.withLock { $0.received.append(Received(request: request, connection: number)) }
            switch handler(request) {
            case .close: return
            case .silence:
                var byte: UInt8 = 0
                while recv(connection, &byte, 1, 0) > 0 {}
                return
            case .raw(let text):
                write(connection, Array(text.utf8))
                return
            case .answer(let answer):
                var head = "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.count)\r\n"
                for header in answer.headers { head += "\(header.name): \(header.value)\r\n" }
                write(connection, Array((head + "\r\n").utf8) + answer.body)
            }
        }
    }

    private func write(_ connection: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress.map { $0 + sent }, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    private func read(_ connection: Int32, _ buffer: inout [UInt8]) -> AWSHTTPRequest? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let place = buffer.firstRange(of: end) {
                let lines = String(decoding: buffer[..<place.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let words = lines[0].split(separator: " ")
                let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
                    guard let colon = line.firstIndex(of: ":") else { return nil }
                    let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                    return (String(line[..<colon]), value)
                }
                var request = AWSHTTPRequest(method: String(words[0]), scheme: "http", host: "", path: String(words[1]))
                request.headers = headers
                let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
                if buffer.count >= place.upperBound + length {
                    request.host = request.header("Host") ?? ""
                    request.body = Array(buffer[place.upperBound..<(place.upperBound + length)])
                    buffer.removeFirst(place.upperBound + length)
                    return request
                }
            }
            var chunk = [UInt8](repeating: 0, count: 16_384)
            let count = recv(connection, &chunk, chunk.count, 0)
            if count <= 0 { return nil }
            buffer += chunk[0..<count]
        }
    }
}
