// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS

/// Makes requests such as nobody sends and every signer must sign.
struct RequestGenerator {
    enum Letters: String {
        case plain = "abcXYZ019-_.~"
        case odd = "aZ9 -_.~!*'();:@&=+$,/?%#[]\"<>\\^`{|}"
        case wide = "aé漢字😀ßñ\u{301}\u{200D}"
        case secret = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
        case header = "abcXYZ019 \t  ;,=\"'/"
    }

    let entropy: LeaseEntropy

    mutating func number(_ limit: Int) -> Int { limit > 0 ? Int(entropy.next() % UInt64(limit)) : 0 }
    mutating func chance(_ share: Double) -> Bool { entropy.unit() < share }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(elements.count)] }

    mutating func text(_ letters: Letters, _ count: Int) -> String {
        // Scalars, so that an accent may stand alone.
        let scalars = Array(letters.rawValue.unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<count { text.append(scalars[number(scalars.count)]) }
        return String(text)
    }

    mutating func anyText(_ longest: Int) -> String { text(pick([.plain, .odd, .wide]), number(longest + 1)) }

    mutating func request(isPresigned: Bool) -> AWSHTTPRequest {
        var request = AWSHTTPRequest(
            method: pick(["GET", "POST", "PUT", "DELETE"]),
            scheme: pick(["https", "http"]),
            host: pick(["iam.amazonaws.com", "sts.eu-west-1.amazonaws.com", "127.0.0.1:5000", "localhost:8443"]),
            path: path(),
            query: query(isRepeating: !isPresigned)
        )
        request.headers = headers()
        if !isPresigned, request.method != "GET" {
            request.body = Array(anyText(chance(0.05) ? 20_000 : 200).utf8)
        }
        return request
    }

    private mutating func path() -> String {
        var path = ""
        for _ in 0..<number(5) {
            let segment = pick([0, 0, 0, 1, 2, 3, 4])
            switch segment {
            case 0: path += "/" + PercentCodingOracle.encoded(anyText(12))
            case 1: path += "/" + pick([".", "..", "", "a/../..", "./b"])
            case 2: path += "/" + "a%2Fb%2f%25"
            case 3: path += "/" + "arn:aws:iam::1:user,x=(y)+z@$'*;"
            default: path += "//"
            }
        }
        return path.isEmpty || chance(0.3) ? path + "/" : path
    }

    private mutating func query(isRepeating: Bool) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for position in 0..<number(6) {
            let name = text(pick([.plain, .odd, .wide]), 1 + number(8)) + (isRepeating ? "" : "\(position)")
            pairs.append((name, chance(0.25) ? "" : anyText(24)))
            if isRepeating, chance(0.3) { pairs.append((name, anyText(8))) }
        }
        return pairs
    }

    private mutating func headers() -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for position in 0..<number(6) {
            let name = pick([
                "X-Amz-Target", "Content-Type", "Accept", "X-Custom-\(position)", "x-AMZ-meta-\(position)",
            ])
            if headers.contains(where: { $0.name == name }) { continue }
            headers.append((name, "v" + text(.header, number(chance(0.1) ? 4_000 : 40))))
            if chance(0.2) { headers.append((name, "w" + text(.header, number(10)))) }
        }
        if chance(0.3) { headers.append(("User-Agent", "someone/1")) }
        if chance(0.1) { headers.append(("Connection", "keep-alive")) }
        return headers
    }
}

/// Percent-encoding, written a second time for the requests that the first one is tested with.
enum PercentCodingOracle {
    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            if byte < 128, "abcXYZ019-_.~aZ9".unicodeScalars.contains(scalar) { return String(scalar) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}
