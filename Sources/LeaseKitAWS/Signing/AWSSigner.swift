// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

public import LeaseKit

/// Signs requests to AWS with Signature Version 4.
///
/// The key that is derived from a secret is good for a day, a region and a service; the newest one is remembered, so that
/// signing costs two hashes and one authentication code.
public struct AWSSigner: Sendable {
    /// The service as signatures name it, such as `iam`.
    public let service: String
    /// The region as signatures name it, such as `us-east-1`.
    public let region: String
    private let keys = Locked<DerivedKey?>(nil)
    private let times = Locked<SigningTime?>(nil)

    /// Makes a signer for one service in one region.
    public init(service: String, region: String) {
        self.service = service
        self.region = region
    }

    /// Signs in the headers: adds `X-Amz-Date`, `Authorization` and for temporary credentials `X-Amz-Security-Token`.
    ///
    /// What an earlier signature left is replaced. `now` is the service's time: it refuses what is some minutes off.
    public func sign(
        _ request: inout AWSHTTPRequest,
        with credentials: AWSCredentials,
        at now: LeaseInstant
    ) throws(AWSError) {
        let time = self.time(now)
        request.removeHeaders(["authorization", "x-amz-date", "x-amz-security-token"])
        request.headers.append(("X-Amz-Date", time.text))
        if let token = credentials.sessionToken {
            request.headers.append(("X-Amz-Security-Token", token.withText { $0 }))
        }
        do {
            var hash: [UInt8] = []
            PercentCoding.appendHex(try SHA256Hash.digest(request.body), to: &hash)
            let canonical = CanonicalRequest(request, query: request.encodedQuery, bodyHash: hash)
            let signature = try signature(of: canonical, credentials, time)
            var value = "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(time)), SignedHeaders="
            value += String(decoding: canonical.signedHeaders, as: UTF8.self)
            value += ", Signature=" + String(decoding: signature, as: UTF8.self)
            request.headers.append(("Authorization", value))
        } catch {
            throw AWSError.signingFailed
        }
    }

    /// Signs in the query, so that the address alone is the permission, for as long as `lifetime`: a day or a week at most.
    ///
    /// The parameters go behind those that are there. Only `host` and the request's own headers are signed; whoever uses
    /// the address must send the same ones.
    public func presign(
        _ request: inout AWSHTTPRequest,
        with credentials: AWSCredentials,
        at now: LeaseInstant,
        validFor lifetime: Duration
    ) throws(AWSError) {
        let time = self.time(now)
        do {
            var hash: [UInt8] = []
            PercentCoding.appendHex(try SHA256Hash.digest(request.body), to: &hash)
            let names = CanonicalRequest(request, query: [], bodyHash: []).signedHeaders
            request.query += [
                ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
                ("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(time))"),
                ("X-Amz-Date", time.text),
                ("X-Amz-Expires", String(lifetime.components.seconds)),
                ("X-Amz-SignedHeaders", String(decoding: names, as: UTF8.self)),
            ]
            if let token = credentials.sessionToken {
                request.query.append(("X-Amz-Security-Token", token.withText { $0 }))
            }
            let canonical = CanonicalRequest(request, query: request.encodedQuery, bodyHash: hash)
            let signature = try signature(of: canonical, credentials, time)
            request.query.append(("X-Amz-Signature", String(decoding: signature, as: UTF8.self)))
        } catch {
            throw AWSError.signingFailed
        }
    }

    /// Many requests are signed in one second: its text is made once.
    private func time(_ now: LeaseInstant) -> SigningTime {
        let second = now.wholeSecondsSinceEpoch
        if let known = times.withLock({ $0 }), known.second == second { return known }
        let time = SigningTime(now)
        times.withLock { $0 = time }
        return time
    }

    private func scope(_ time: SigningTime) -> String { "\(time.day)/\(region)/\(service)/aws4_request" }

    private func signature(
        of canonical: CanonicalRequest,
        _ credentials: AWSCredentials,
        _ time: SigningTime
    ) throws(SigningFailure) -> [UInt8] {
        var text = Array("AWS4-HMAC-SHA256\n\(time.text)\n\(scope(time))\n".utf8)
        PercentCoding.appendHex(try SHA256Hash.digest(canonical.bytes), to: &text)
        let code = try SHA256Hash.authenticate(text, key: try key(for: credentials.secretAccessKey, time.day))
        var signature: [UInt8] = []
        signature.reserveCapacity(2 * code.count)
        PercentCoding.appendHex(code, to: &signature)
        return signature
    }

    private struct DerivedKey: Sendable {
        let secret: SecretText
        let day: String
        let key: SecretText
    }

    private func key(for secret: SecretText, _ day: String) throws(SigningFailure) -> SecretText {
        if let known = keys.withLock({ $0 }), known.day == day, known.secret == secret { return known.key }
        var key = Array("AWS4".utf8) + secret.withBytes { Array($0) }
        for step in [day, region, service, "aws4_request"] {
            key = try SHA256Hash.authenticate(Array(step.utf8), key: key)
        }
        let derived = DerivedKey(secret: secret, day: day, key: SecretText(utf8: key))
        keys.withLock { $0 = derived }
        return derived.key
    }
}
