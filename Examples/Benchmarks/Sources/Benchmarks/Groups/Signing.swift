// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Requests to IAM are signed, one after the other on one core.
func measureSigning(_ scale: Scale) async throws -> [Measurement] {
    let signer = AWSSigner(service: "iam", region: "us-east-1")
    let now = SystemTime().read().wall
    let count = 10_000
    var rows: [Measurement] = []
    for (name, token) in [("a user's key", nil), ("a token", SecretText(String(repeating: "t", count: 300)))] {
        let credentials = AWSCredentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: SecretText("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            sessionToken: token
        )
        var times: [Double] = []
        for _ in 0..<scale.rounds {
            let began = processorTime()
            for number in 0..<count {
                var request = AWSHTTPRequest(
                    method: "POST",
                    host: "iam.amazonaws.com",
                    headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
                    body: Array("Action=GetUser&Version=2010-05-08&UserName=leasekit-app-\(number)".utf8)
                )
                try signer.sign(&request, with: credentials, at: now)
            }
            times.append((processorTime() - began) / Double(count))
        }
        // Fifty thousand a second.
        rows.append(Measurement("sign with \(name)", median(times), "ns", target: 20_000))
    }
    return rows
}

/// How long processors have worked for this process, in nanoseconds: it does nothing else meanwhile, and does not wait.
private func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}
