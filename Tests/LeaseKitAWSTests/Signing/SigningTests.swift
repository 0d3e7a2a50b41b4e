// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitAWS

@Suite struct SigningTests {
    private let credentials = AWSCredentials(
        accessKeyID: "AKIDEXAMPLE",
        secretAccessKey: SecretText("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    )

    /// The first case of the suite that AWS publishes.
    @Test func signsThePublishedExample() throws {
        var request = AWSHTTPRequest(host: "example.amazonaws.com")
        let signer = AWSSigner(service: "service", region: "us-east-1")
        try signer.sign(&request, with: credentials, at: LeaseInstant(secondsSinceEpoch: 1_440_938_160))
        #expect(request.header("x-amz-date") == "20150830T123600Z")
        #expect(
            request.header("authorization")
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=host;x-amz-date, "
                + "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        )
    }

    @Test func aSecondSignatureReplacesTheFirst() throws {
        var (once, twice) = (AWSHTTPRequest(host: "h"), AWSHTTPRequest(host: "h"))
        let signer = AWSSigner(service: "s", region: "r")
        let (first, second) = (
            LeaseInstant(secondsSinceEpoch: 1_440_938_160), LeaseInstant(secondsSinceEpoch: 1_540_938_160)
        )
        var temporary = credentials
        temporary.sessionToken = SecretText("token")
        try signer.sign(&twice, with: temporary, at: first)
        try signer.sign(&twice, with: credentials, at: second)
        try signer.sign(&once, with: credentials, at: second)
        #expect(twice.headers.map(\.name) == ["X-Amz-Date", "Authorization"])
        #expect(twice.header("Authorization") == once.header("Authorization"))
    }

    @Test func aRememberedKeyIsOfOneSecretAndOneDay() throws {
        let signer = AWSSigner(service: "s", region: "r")
        var other = credentials
        other.secretAccessKey = SecretText("other")
        func signature(_ signer: AWSSigner, _ credentials: AWSCredentials, _ seconds: Int64) throws -> String? {
            var request = AWSHTTPRequest(host: "h")
            try signer.sign(&request, with: credentials, at: LeaseInstant(secondsSinceEpoch: seconds))
            return request.header("Authorization")
        }
        let uses: [(AWSCredentials, Int64)] = [(credentials, 0), (other, 0), (other, 86_400), (credentials, 86_400)]
        for (credentials, seconds) in uses {
            let fresh = try signature(AWSSigner(service: "s", region: "r"), credentials, seconds)
            #expect(try signature(signer, credentials, seconds) == fresh)
        }
    }

    @Test(arguments: [
        ("2026-11-21T08:00:00Z", 1_795_248_000_000), ("2026-11-21T08:00:00.250Z", 1_795_248_000_250),
        ("2024-02-29T23:59:59Z", 1_709_251_199_000), ("1970-01-01T00:00:00Z", 0),
    ])
    func readsDatesOfAnswers(text: String, milliseconds: Int64) throws {
        let instant = try #require(LeaseInstant(iso8601: text))
        #expect(instant == LeaseInstant(nanosecondsSinceEpoch: milliseconds * 1_000_000))
    }

    @Test(arguments: ["", "2026-11-21", "2026-13-21T08:00:00Z", "2026-11-21T08:00:00", "2026-11-21T25:00:00Z", "soon"])
    func readsNoDateWhereThereIsNone(text: String) { #expect(LeaseInstant(iso8601: text) == nil) }

    @Test(arguments: ["08:00:00+00:00", "10:30:00.250+02:30", "07:00:00-0100"])
    func readsDatesWithAnOffset(time: String) throws {
        let instant = try #require(LeaseInstant(iso8601: "2026-11-21T\(time)"))
        #expect(instant.wholeSecondsSinceEpoch == LeaseInstant(iso8601: "2026-11-21T08:00:00Z")?.wholeSecondsSinceEpoch)
    }

    @Test(arguments: [
        "99999999999999999-11-21T08:00:00Z", "-5-11-21T08:00:00Z", "2026-11-21T08:00:00+9", "2026-11-21T08:00:00+",
    ])
    func oddDatesAreNone(text: String) { #expect(LeaseInstant(iso8601: text) == nil) }

    @Test func readsDatesOfHTTP() {
        let instant = LeaseInstant(httpDate: "Sat, 21 Nov 2026 08:00:00 GMT")
        #expect(instant == LeaseInstant(secondsSinceEpoch: 1_795_248_000))
        for text in ["", "Sat, 21 Nov 2026 08:00:00 CET", "Sat, 21 Foo 2026 08:00:00 GMT", "21 Nov 2026"] {
            #expect(LeaseInstant(httpDate: text) == nil)
        }
    }

    @Test func percentCodingComesBack() {
        for text in ["", "a b", "100%", "é漢😀", "a+b/c?d=e&f", "~-_."] {
            #expect(PercentCoding.decoded(PercentCoding.encoded(text)) == text)
        }
        for text in ["%", "%2", "%zz", "%FF"] { #expect(PercentCoding.decoded(text) == nil) }
    }

    @Test func nothingPrintsASecret() {
        var credentials = credentials
        credentials.sessionToken = SecretText("FwoGZXIvYXdzEXAMPLE")
        var request = AWSHTTPRequest(host: "h")
        request.body = Array("SecretAccessKey=wJalrXUtnFEMI".utf8)
        request.headers = [("X-Amz-Security-Token", "FwoGZXIvYXdzEXAMPLE")]
        var printed = "\(credentials) \(String(reflecting: credentials)) \(request) \(String(reflecting: request))"
        dump(credentials, to: &printed)
        dump(request, to: &printed)
        dump(StaticAWSCredentials(credentials), to: &printed)
        #expect(!printed.contains("wJalr") && !printed.contains("FwoG"))
        #expect(printed.contains("AKIDEXAMPLE"))
    }
}
