// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@testable import LeaseKitAWS

@Suite struct EndpointTests {
    @Test(arguments: [
        ("eu-central-1", "iam.amazonaws.com", "us-east-1", "sts.eu-central-1.amazonaws.com"),
        ("us-east-1", "iam.amazonaws.com", "us-east-1", "sts.us-east-1.amazonaws.com"),
        ("cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1", "sts.cn-northwest-1.amazonaws.com.cn"),
        ("us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1", "sts.us-gov-east-1.amazonaws.com"),
    ])
    func eachPartitionHasItsOwn(region: String, iam: String, global: String, sts: String) throws {
        let region = AWSRegion(region)
        let endpoints = AWSEndpoints()
        #expect(try endpoints.iam(in: region) == AWSEndpoint(host: iam, signingRegion: global))
        #expect(try endpoints.sts(in: region) == AWSEndpoint(host: sts, signingRegion: region.name))
    }

    @Test func theGlobalOneSignsForOneRegion() throws {
        let endpoints = AWSEndpoints(usesGlobalSTS: true)
        #expect(
            try endpoints.sts(in: "eu-west-1") == AWSEndpoint(host: "sts.amazonaws.com", signingRegion: "us-east-1")
        )
        #expect(try endpoints.sts(in: "cn-north-1").host == "sts.cn-north-1.amazonaws.com.cn")
    }

    @Test func otherAddressesAreRead() throws {
        let endpoint = try AWSEndpoints.all(at: "http://127.0.0.1:5000").iam(in: "eu-west-1")
        #expect(endpoint == AWSEndpoint(scheme: "http", host: "127.0.0.1:5000", signingRegion: "us-east-1"))
        #expect(try AWSEndpoints(sts: "https://Vpce.Example:443/x/").sts(in: "r").host == "vpce.example")
        #expect(try AWSEndpoints(sts: "https://vpce.example/x").sts(in: "r").path == "/x")
        for text in ["", "127.0.0.1", "ftp://h", "https://", "https:/h"] {
            #expect(throws: AWSError.self) { try AWSEndpoints(iam: text).iam(in: "r") }
        }
        #expect(try AWSEndpoints(sts: "http://[::1]:5000").sts(in: "r").host == "[::1]:5000")
        // What would be signed otherwise than it is sent, and what must not be repeated.
        let odd = ["https://me:hush@h", "https://h?hush", "https://h/x?hush", "https://h/a b?hush", "https://h/#hush"]
        for text in odd {
            let error = #expect(throws: AWSError.self) { try AWSEndpoints(sts: text).sts(in: "r") }
            #expect(error?.message.contains("hush") == false, "\(text)")
        }
    }

    @Test func theRegionComesFromTheEnvironment() {
        #expect(AWSRegion.fromEnvironment(["AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"]) == "a")
        #expect(AWSRegion.fromEnvironment(["AWS_REGION": "", "AWS_DEFAULT_REGION": "b"]) == "b")
        #expect(AWSRegion.fromEnvironment([:]) == "us-east-1")
    }
}
