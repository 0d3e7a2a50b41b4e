// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitTesting
import Testing

@testable import LeaseKitAWS

/// Signatures, held against botocore's on generated requests.
@Suite struct OracleTests {
    private struct Case {
        let request: AWSHTTPRequest
        let credentials: AWSCredentials
        let signer: AWSSigner
        let time: Int64
        let lifetime: Int64?
    }

    private struct Answer: Decodable {
        let authorization: String?
        let url: String
        let canonical: String
    }

    @Test func botocoreSignsTheSame() async throws {
        let seed =
            ProcessInfo.processInfo.environment["LEASEKIT_SIM_SEED"].flatMap { UInt64($0) }
            ?? .random(in: 0...9_999_999)
        print("signing seed \(seed)")
        var generator = RequestGenerator(entropy: .seeded(seed))
        let cases = (0..<2_400).map { number in Self.makeCase(number, &generator) }
        let scratch = try Scratch()
        try scratch.write(try cases.map(Self.line).joined(), to: "cases")
        try await Python.run("sign.py", [scratch.path("cases"), scratch.path("answers")])
        let answers = try String(contentsOfFile: scratch.path("answers"), encoding: .utf8).split(separator: "\n")
            .map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        try #require(answers.count == cases.count)
        var presigned = 0
        for (number, (each, answer)) in zip(cases, answers).enumerated() {
            var request = each.request
            let now = LeaseInstant(secondsSinceEpoch: each.time)
            if let lifetime = each.lifetime {
                presigned += 1
                try each.signer.presign(&request, with: each.credentials, at: now, validFor: .seconds(lifetime))
                let signature = try #require(request.query.last)
                #expect(signature.name == "X-Amz-Signature")
                #expect(
                    answer.url.hasSuffix("X-Amz-Signature=\(signature.value)"),
                    "seed \(seed), case \(number)\n\(answer.canonical)"
                )
            } else {
                try each.signer.sign(&request, with: each.credentials, at: now)
                let header = request.header("Authorization")
                #expect(header == answer.authorization, "seed \(seed), case \(number)\n\(answer.canonical)")
            }
        }
        #expect(presigned > 400)
    }

    private static func makeCase(_ number: Int, _ generator: inout RequestGenerator) -> Case {
        let isPresigned = number % 4 == 0
        let services = ["iam", "sts", "execute-api", "es", "sqs"]
        let regions = ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"]
        return Case(
            request: generator.request(isPresigned: isPresigned),
            credentials: AWSCredentials(
                accessKeyID: generator.pick(["AKIDEXAMPLE", "ASIAEXAMPLE2"]),
                secretAccessKey: SecretText(generator.text(.secret, 40)),
                sessionToken: generator.chance(0.5) ? SecretText(generator.text(.secret, 300)) : nil
            ),
            signer: AWSSigner(service: generator.pick(services), region: generator.pick(regions)),
            time: 1_700_000_000 + Int64(generator.number(400_000_000)),
            lifetime: isPresigned ? Int64(1 + generator.number(604_800)) : nil
        )
    }

    private static func line(_ each: Case) throws -> String {
        let request = each.request
        let object: [String: Any] = [
            "method": request.method, "url": request.address, "body": Data(request.body).base64EncodedString(),
            "headers": request.headers.map { [$0.name, $0.value] }, "id": each.credentials.accessKeyID,
            "secret": each.credentials.secretAccessKey.withText { $0 },
            "token": each.credentials.sessionToken.map { $0.withText { $0 } } ?? NSNull() as Any,
            "service": each.signer.service, "region": each.signer.region, "time": each.time,
            "lifetime": each.lifetime.map { $0 as Any } ?? NSNull(),
        ]
        return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self) + "\n"
    }
}
