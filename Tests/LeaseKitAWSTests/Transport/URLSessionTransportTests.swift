// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitAWS

/// The transport against a server on the loopback.
@Suite(.timeLimit(.minutes(5))) struct URLSessionTransportTests {
    private func request(_ server: LoopbackServer, path: String = "/") -> AWSHTTPRequest {
        AWSHTTPRequest(method: "POST", scheme: "http", host: server.host, path: path, body: Array("a=1".utf8))
    }

    @Test func carriesARequestAndItsAnswer() async throws {
        let server = try LoopbackServer { request in
            .answer(AWSHTTPResponse(status: 418, headers: [("X-A", "b")], body: request.body + Array("!".utf8)))
        }
        defer { server.stop() }
        var request = request(server, path: "/p%2Fq")
        request.query = [("k", "v w"), ("k", "")]
        request.headers = [("X-Custom", "1, 2"), ("Content-Type", "text/plain")]
        let response = try await URLSessionTransport().send(request, timeout: .seconds(5))
        #expect(response.status == 418)
        #expect(response.header("x-a") == "b")
        #expect(response.body == Array("a=1!".utf8))
        let seen = try #require(server.received.first?.request)
        #expect(seen.path == "/p%2Fq?k=v%20w&k=")
        #expect(seen.header("x-custom") == "1, 2")
        #expect(seen.header("host") == server.host)
        #expect(seen.header("authorization") == nil)
    }

    @Test func usesAConnectionAgain() async throws {
        let server = try LoopbackServer { _ in .answer(AWSHTTPResponse(status: 200, body: [1])) }
        defer { server.stop() }
        let transport = URLSessionTransport()
        for _ in 0..<10 { _ = try await transport.send(request(server), timeout: .seconds(5)) }
        #expect(server.received.count == 10)
        #expect(Set(server.received.map(\.connection)).count <= 2)
    }

    @Test func manyAtOnceGetTheirOwnAnswers() async throws {
        let server = try LoopbackServer { .answer(AWSHTTPResponse(status: 200, body: $0.body)) }
        defer { server.stop() }
        let transport = URLSessionTransport()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                var request = request(server)
                request.body = Array("n=\(number)".utf8)
                group.addTask { [request] in
                    try await transport.send(request, timeout: .seconds(10)).body == request.body
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(server.received.count == 64)
    }

    @Test func followsNoRedirect() async throws {
        let server = try LoopbackServer { request in
            .answer(AWSHTTPResponse(status: 302, headers: [("Location", "/elsewhere")], body: Array("x".utf8)))
        }
        defer { server.stop() }
        let response = try await URLSessionTransport().send(request(server), timeout: .seconds(5))
        #expect(response.status == 302)
        #expect(server.received.count == 1)
    }

    @Test func saysWhetherARequestCanHaveArrived() async throws {
        let server = try LoopbackServer { $0.path == "/close" ? .close : .silence }
        defer { server.stop() }
        let tools = AWSClient.Tools(
            transport: URLSessionTransport(),
            time: SystemTime(),
            clock: ServerClock(),
            retry: AWSRetryPolicy(),
            entropy: .system
        )
        for path in ["/close", "/silence"] {
            let failure = await #expect(throws: AWSTransportError.self) {
                try await tools.exchange(request(server, path: path), timeout: .milliseconds(500))
            }
            #expect(failure?.mayHaveArrived == true, "\(path)")
        }
        // Nobody listens on the port of a server that was stopped before it was asked.
        let gone = AWSHTTPRequest(scheme: "http", host: "127.0.0.1:1")
        let failure = await #expect(throws: AWSTransportError.self) {
            try await URLSessionTransport().send(gone, timeout: .seconds(5))
        }
        #expect(failure?.mayHaveArrived == false)
    }

    @Test func aCancelledTaskEndsItsExchange() async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let server = try LoopbackServer { _ in
            arrival.yield()
            return .silence
        }
        defer { server.stop() }
        let sent = request(server)
        let task = Task { try await URLSessionTransport().send(sent, timeout: .seconds(50)) }
        for await _ in arrived { break }
        task.cancel()
        let failure = await #expect(throws: AWSTransportError.self) { try await task.value }
        #expect(failure?.mayHaveArrived == true)
    }

    @Test func anAnswerThatIsTooLongIsAFailure() async throws {
        let server = try LoopbackServer { _ in
            .answer(AWSHTTPResponse(status: 200, body: [UInt8](repeating: 65, count: 100_000)))
        }
        defer { server.stop() }
        let transport = URLSessionTransport(longestBody: 50_000)
        let failure = await #expect(throws: AWSTransportError.self) {
            try await transport.send(request(server), timeout: .seconds(5))
        }
        #expect(failure?.message.contains("longer") == true)
    }

    @Test func anAnswerThatBreaksOffIsAFailure() async throws {
        let server = try LoopbackServer { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") }
        defer { server.stop() }
        let failure = await #expect(throws: AWSTransportError.self) {
            try await URLSessionTransport().send(request(server), timeout: .seconds(2))
        }
        #expect(failure?.mayHaveArrived == true)
    }
}
