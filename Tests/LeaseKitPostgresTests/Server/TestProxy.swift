// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// A wire between a client and a server that can be cut where it hurts.
final class TestProxy: Sendable {
    /// What it does to what passes.
    enum Fault: Sendable {
        case none
        /// Whoever says this to the server is heard; the answer is lost, and the connection with it.
        case loseAnswer(to: String)
        /// Whoever says this to the server is cut off first.
        case loseRequest(String)
        /// Nothing passes any more, and nobody is told.
        case silence
        /// New connections are closed at once.
        case refuse
    }

    let port: Int
    private let server: Int
    private let listener: Int32
    private let fault = Locked(Fault.none)
    private let open = Locked<Set<Int32>>([])
    private let accepted = Locked(0)

    init(to server: TestServer) throws {
        (listener, port) = try Loopback.listen()
        self.server = server.port
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.serve(client)
            }
        }
    }

    deinit {
        cutAll()
        // Wakes the thread that accepts.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var host: PostgresConfiguration.Host { PostgresConfiguration.Host("127.0.0.1", port: port) }

    /// How many connections came so far.
    var connections: Int { accepted.withLock { $0 } }

    func set(_ fault: Fault) { self.fault.withLock { $0 = fault } }

    /// Ends all connections.
    func cutAll() {
        // Under the lock, since a number that was closed may be somebody else's socket by now.
        open.withLock { open in
            for socket in open { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func serve(_ client: Int32) {
        accepted.withLock { $0 += 1 }
        if case .refuse = fault.withLock({ $0 }) {
            close(client)
            return
        }
        guard let upstream = try? Loopback.connect(port: server) else {
            close(client)
            return
        }
        open.withLock { $0.formUnion([client, upstream]) }
        let isArmed = Locked(false)
        let left = Locked(2)
        for (from, to, isRequest) in [(client, upstream, true), (upstream, client, false)] {
            Thread.detachNewThread {
                self.pump(from, to) { bytes in self.verdict(bytes, isRequest: isRequest, isArmed) }
                shutdown(from, Int32(SHUT_RDWR))
                shutdown(to, Int32(SHUT_RDWR))
                // Only when nobody uses the numbers any more.
                let isLast = left.withLock { left in
                    left -= 1
                    return left == 0
                }
                if isLast {
                    self.open.withLock { open in
                        open.subtract([from, to])
                        close(from)
                        close(to)
                    }
                }
            }
        }
    }

    private enum Verdict { case pass, drop, cut }

    private func verdict(_ bytes: ArraySlice<UInt8>, isRequest: Bool, _ isArmed: Locked<Bool>) -> Verdict {
        switch fault.withLock({ $0 }) {
        case .none, .refuse: return .pass
        case .silence: return .drop
        case .loseRequest(let text): return isRequest && contains(bytes, text) ? .cut : .pass
        case .loseAnswer(let text):
            if isRequest {
                if contains(bytes, text) { isArmed.withLock { $0 = true } }
                return .pass
            }
            return isArmed.withLock { $0 } ? .cut : .pass
        }
    }

    private func contains(_ bytes: ArraySlice<UInt8>, _ text: String) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains(text)
    }

    private func pump(_ from: Int32, _ to: Int32, _ verdict: (ArraySlice<UInt8>) -> Verdict) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            if count <= 0 { return }
            switch verdict(buffer[..<count]) {
            case .cut: return
            case .drop: continue
            case .pass: break
            }
            var sent = 0
            while sent < count {
                #if canImport(Darwin)
                    let flags: Int32 = 0
                #else
                    let flags = Int32(MSG_NOSIGNAL)
                #endif
                let step = buffer[sent..<count].withUnsafeBytes { send(to, $0.baseAddress, $0.count, flags) }
                if step <= 0 { return }
                sent += step
            }
        }
    }
}
