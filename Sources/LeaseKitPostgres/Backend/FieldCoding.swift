// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Writes texts one after another, each behind its length: `3:app,`.
func fieldBytes(_ fields: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for field in fields {
        bytes += "\(field.utf8.count):".utf8
        bytes += field.utf8
        bytes.append(UInt8(ascii: ","))
    }
    return bytes
}

/// Reads what ``fieldBytes(_:)`` wrote.
struct FieldReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next text; nil at the end, and where the bytes are no field.
    mutating func next() -> String? {
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")),
            let length = Int(String(decoding: rest[..<colon], as: UTF8.self)), length >= 0,
            rest.distance(from: colon, to: rest.endIndex) - 1 > length
        else { return nil }
        let start = rest.index(after: colon)
        let end = rest.index(start, offsetBy: length)
        guard rest[end] == UInt8(ascii: ",") else { return nil }
        defer { rest = rest[rest.index(after: end)...] }
        return String(validating: rest[start..<end], as: UTF8.self)
    }
}
