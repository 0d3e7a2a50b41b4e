// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

/// The client of the Query protocol over a scripted transport, in virtual time.
@Suite struct AWSClientTests {
    @Test func signsAndReads() throws {
        try Bench.drive { bench in
            bench.script { _, _ in .identity() }
            let reply = try await bench.call()
            #expect(reply.result.text("Account") == "123456789012")
            let request = try #require(bench.transport.requests.first)
            #expect(
                request.method == "POST" && request.host == "sts.eu-west-1.amazonaws.com" && request.scheme == "https"
            )
            #expect(request.form == ["Action": "GetCallerIdentity", "Version": "2011-06-15"])
            #expect(request.header("Authorization")?.contains("/eu-west-1/sts/aws4_request") == true)
        }
    }

    @Test(arguments: [
        (400, "Throttling"), (400, "ThrottlingException"), (503, "SlowDown"), (400, "RequestLimitExceeded"),
        (500, "ServiceFailure"), (409, "ConcurrentModification"), (409, "EntityTemporarilyUnmodifiable"),
        (400, "IDPCommunicationError"), (400, "PriorRequestNotComplete"),
    ])
    func triesAgainWhatMayWork(status: Int, code: String) throws {
        try Bench.drive { bench in
            bench.script { _, number in number < 3 ? .failure(status, code) : .identity() }
            _ = try await bench.call()
            #expect(bench.transport.requests.count == 4)
        }
    }

    @Test(arguments: [
        (409, "LimitExceeded"), (403, "AccessDenied"), (404, "NoSuchEntity"), (409, "EntityAlreadyExists"),
        (400, "MalformedPolicyDocument"), (409, "DeleteConflict"), (400, "ValidationError"),
        (403, "InvalidClientTokenId"), (400, "PackedPolicyTooLarge"),
    ])
    func triesOnceWhatStaysRefused(status: Int, code: String) throws {
        try Bench.drive { bench in
            bench.script { _, _ in .failure(status, code, "because") }
            let error = await #expect(throws: AWSError.self) { try await bench.call() }
            #expect(error?.code.text == code && error?.message == "because" && error?.requestID == "r-1")
            #expect(error?.isRetryable == false && error?.mayHaveBeenDone == false)
            #expect(bench.transport.requests.count == 1)
        }
    }

    /// Full jitter: anywhere up to the doubled base, so that all together stay below the sum.
    @Test func waitsLongerEachTimeAndGivesUp() throws {
        try Bench.drive { bench in
            bench.script { _, _ in .failure(500, "ServiceFailure") }
            let began = bench.time.read().continuous
            let error = await #expect(throws: AWSError.self) { try await bench.call() }
            #expect(error?.code == "ServiceFailure" && error?.mayHaveBeenDone == true)
            #expect(bench.transport.requests.count == 5)
            let took = bench.time.read().continuous - began
            #expect(took > .zero && took <= .milliseconds(250 + 500 + 1_000 + 2_000))
        }
    }

    @Test func theBudgetEndsRetries() throws {
        try Bench.drive { bench in
            bench.script { _, _ in .failure(500, "ServiceFailure") }
            for _ in 0..<40 { _ = try? await bench.call() }
            let before = bench.transport.requests.count
            // 500 tokens at 5 each: a hundred retries, and one try for each call.
            #expect(before == 140)
            _ = try? await bench.call()
            #expect(bench.transport.requests.count == before + 1)
        }
    }

    @Test func whatMustNotBeDoneTwiceIsTriedAgainOnlyWhenItWasNotDone() throws {
        try Bench.drive { bench in
            bench.script { _, number throws(AWSTransportError) in
                switch number {
                case 0: throw .notSent("no connection")
                case 1: return .failure(400, "Throttling")
                default: throw .noAnswer("lost")
                }
            }
            let error = await #expect(throws: AWSError.self) { try await bench.call(isRepeatable: false) }
            #expect(error?.code == .noAnswer && error?.mayHaveBeenDone == true)
            #expect(bench.transport.requests.count == 3)
        }
    }

    @Test func anEarlierTryThatWasLostIsNotForgotten() throws {
        try Bench.drive { bench in
            bench.script { _, number throws(AWSTransportError) in
                if number == 0 { throw .noAnswer("lost") }
                return .failure(409, "EntityAlreadyExists")
            }
            let error = await #expect(throws: AWSError.self) { try await bench.call() }
            #expect(error?.code == .entityAlreadyExists && error?.mayHaveBeenDone == true)
        }
    }

    @Test func aTransportThatNeverAnswersIsLeftAtTheDeadline() throws {
        try Bench.drive { bench in
            let time = bench.time
            bench.script { _, _ throws(AWSTransportError) in
                do { try await time.sleep(for: .seconds(86_400)) } catch {}
                throw .noAnswer("cancelled")
            }
            let began = time.read().continuous
            let error = await #expect(throws: AWSError.self) { try await bench.call(timeout: .seconds(40)) }
            #expect(error?.mayHaveBeenDone == true)
            let took = time.read().continuous - began
            #expect(took >= .seconds(30) && took <= .seconds(40))
            #expect(bench.transport.requests.count == 3)
        }
    }

    @Test func nothingIsSentAfterTheDeadline() throws {
        try Bench.drive { bench in
            bench.script { _, _ in .identity() }
            let error = await #expect(throws: AWSError.self) { try await bench.call(timeout: .zero) }
            #expect(error?.code == .outOfTime && error?.mayHaveBeenDone == false)
            #expect(bench.transport.requests.isEmpty)
        }
    }

    @Test(arguments: [-3_600, -600, 600, 86_400 * 400])
    func followsTheClockOfTheService(offset: Int) throws {
        try Bench.drive { bench in
            let time = bench.time
            // As the service does: five minutes off is too much.
            bench.script { request, _ in
                let there = time.read().wall + .seconds(offset)
                let signed = SigningTime(there).text
                let text = request.header("X-Amz-Date") ?? ""
                let isRight = [0, 1, -1].contains { SigningTime(there + .seconds($0)).text == text }
                if isRight || signed == text { return .identity(date: there) }
                return .failure(403, "SignatureDoesNotMatch", "Signature not yet current", date: there)
            }
            _ = try await bench.call()
            #expect(bench.transport.requests.count == 2)
            // From now on it knows.
            try await time.sleep(for: .seconds(1_000))
            _ = try await bench.call()
            #expect(bench.transport.requests.count == 3)
            // The wall clock here may jump: the service's is followed by the continuous one.
            time.jumpWall(by: .seconds(-offset))
        }
    }

    @Test func aSignatureThatIsWrongStaysWrong() throws {
        try Bench.drive { bench in
            let wall = bench.time.read().wall
            bench.script { _, _ in
                .failure(
                    403,
                    "SignatureDoesNotMatch",
                    "The Canonical String … x-amz-security-token:FwoGSECRET",
                    date: wall
                )
            }
            let error = await #expect(throws: AWSError.self) { try await bench.call() }
            #expect(bench.transport.requests.count == 1)
            #expect(error.map { "\($0)".contains("FwoG") } == false)
        }
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let response: AWSHTTPResponse
        var tries = 5
        var code: AWSError.Code = .unreadableAnswer
        var mayHaveBeenDone = true
    }

    static let broken = [
        Broken(
            testDescription: "a page, 200",
            response: .xml(200, "<!DOCTYPE html><html><body><p>Hi<br></body></html>")
        ),
        Broken(
            testDescription: "a page, 502",
            response: .xml(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")
        ),
        Broken(
            testDescription: "half an answer",
            response: .xml(200, "<GetCallerIdentityResponse><GetCallerIdentityRes")
        ),
        Broken(testDescription: "nothing", response: .xml(200, "")),
        Broken(testDescription: "no XML", response: .xml(200, "\u{0}\u{1}{\"a\":1}")),
        Broken(testDescription: "another action's", response: .xml(200, "<ListUsersResponse/>")),
        Broken(
            testDescription: "a page, 503",
            response: .xml(503, "<html/>"),
            code: "Throttling",
            mayHaveBeenDone: false
        ),
        Broken(testDescription: "a page, 403", response: .xml(403, "<html>no"), mayHaveBeenDone: false),
        Broken(
            testDescription: "the other envelope",
            response: .xml(
                400,
                "<Response><Errors><Error><Code>ValidationError</Code><Message>m</Message></Error></Errors></Response>"
            ),
            tries: 1,
            code: "ValidationError",
            mayHaveBeenDone: false
        ),
        Broken(
            testDescription: "a code that is none",
            response: .failure(400, String(repeating: "Long", count: 100)),
            mayHaveBeenDone: false
        ),
        Broken(
            testDescription: "too deep",
            response: .xml(200, String(repeating: "<a>", count: 100_000))
        ),
    ]

    @Test(arguments: broken) func aBrokenAnswerIsAnError(_ row: Broken) throws {
        try Bench.drive { bench in
            bench.script { _, _ in row.response }
            let error = await #expect(throws: AWSError.self) { try await bench.call() }
            #expect(error?.code == row.code)
            #expect(error?.mayHaveBeenDone == row.mayHaveBeenDone)
            #expect(bench.transport.requests.count == row.tries)
            #expect(error?.message.contains("Bad Gateway") == false)
        }
    }

    /// A message is one line of a log, whatever is in it.
    @Test func aMessageStaysOnItsLine() throws {
        try Bench.drive { bench in
            bench.script { _, _ in .failure(400, "ValidationError", "one\n&#13;two\tthree") }
            let error = await #expect(throws: AWSError.self) { try await bench.call() }
            #expect(error?.message == "one  two three")
        }
    }

    @Test func credentialsThatRanOutAreAskedForAgain() throws {
        try Bench.drive { bench in
            let asked = Locked(0)
            let provider = CachedCredentials(
                CountingSource { number in
                    asked.withLock { $0 = number }
                    return AWSCredentials(accessKeyID: "AKIA\(number)", secretAccessKey: SecretText("s"))
                },
                bench.time
            )
            bench.script { request, _ in
                request.header("Authorization")?.contains("AKIA1/") == true
                    ? .failure(403, "ExpiredToken") : .identity()
            }
            _ = try await bench.call(as: provider)
            #expect(bench.transport.requests.count == 2)
            #expect(asked.withLock { $0 } == 2)
            bench.script { _, _ in .failure(400, "ExpiredTokenException") }
            let error = await #expect(throws: AWSError.self) { try await bench.call(as: provider) }
            #expect(error?.code == "ExpiredTokenException")
            #expect(bench.transport.requests.count == 2)
        }
    }

    @Test func aRefusedActionIsAskedForLessOften() throws {
        try Bench.drive { bench in
            let time = bench.time
            let sent = Locked<[Duration]>([])
            // The service takes two a second.
            bench.script { _, _ in
                let now = time.read().continuous
                let isTooMuch = sent.withLock { sent in
                    sent.removeAll { now - $0 >= .seconds(1) }
                    if sent.count >= 2 { return true }
                    sent.append(now)
                    return false
                }
                return isTooMuch ? .failure(400, "Throttling") : .identity()
            }
            for _ in 0..<60 { _ = try? await bench.call() }
            // Without a limit of its own the client would come back after each wait and be refused nearly each time.
            #expect(bench.transport.requests.count < 120)
        }
    }
}

/// A source whose answers are counted from 1.
struct CountingSource: AWSCredentialsProvider {
    let answer: @Sendable (Int) throws(AWSError) -> AWSCredentials
    private let count = Locked(0)

    init(_ answer: @escaping @Sendable (Int) throws(AWSError) -> AWSCredentials) { self.answer = answer }

    func credentials() async throws(AWSError) -> AWSCredentials {
        try answer(
            count.withLock { count in
                count += 1
                return count
            }
        )
    }
}
