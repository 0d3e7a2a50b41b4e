// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Writes numbers, least significant byte first, and bytes with their length in front.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func write(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ id: LeaseID) {
        write(id.high)
        write(id.low)
    }

    mutating func write(_ content: [UInt8]) {
        write(UInt32(content.count))
        bytes.append(contentsOf: content)
    }

    mutating func write(_ text: String?) {
        write(UInt8(text == nil ? 0 : 1))
        if let text { write(Array(text.utf8)) }
    }

    mutating func write(_ duration: Duration?, _ tag: UInt8) {
        guard let duration else { return }
        field(tag) { $0.write(UInt64(bitPattern: duration.saturatingNanoseconds)) }
    }

    /// One tagged field.
    mutating func field(_ tag: UInt8, _ body: (inout ByteWriter) -> Void) {
        var content = ByteWriter()
        body(&content)
        write(tag)
        write(content.bytes)
    }
}

/// Reads what was written by ``ByteWriter``.
///
/// Never reads past the end, whatever the bytes are.
struct ByteReader {
    private let source: [UInt8]
    private var position = 0

    init(_ source: [UInt8]) { self.source = source }

    var isAtEnd: Bool { position == source.count }

    mutating func byte() throws(LeaseRecordError) -> UInt8 {
        guard position < source.count else { throw .malformed("it ends after \(source.count) bytes") }
        defer { position += 1 }
        return source[position]
    }

    mutating func shortNumber() throws(LeaseRecordError) -> UInt32 {
        var number: UInt32 = 0
        for shift in stride(from: 0, to: 32, by: 8) { number |= UInt32(try byte()) << UInt32(shift) }
        return number
    }

    mutating func number() throws(LeaseRecordError) -> UInt64 {
        let low = try shortNumber()
        return UInt64(try shortNumber()) << 32 | UInt64(low)
    }

    mutating func instant() throws(LeaseRecordError) -> LeaseInstant {
        LeaseInstant(nanosecondsSinceEpoch: Int64(bitPattern: try number()))
    }

    mutating func duration() throws(LeaseRecordError) -> Duration {
        .nanoseconds(Int64(bitPattern: try number()))
    }

    mutating func leaseID() throws(LeaseRecordError) -> LeaseID {
        let high = try number()
        return LeaseID(high: high, low: try number())
    }

    mutating func bytes() throws(LeaseRecordError) -> [UInt8] {
        let count = Int(try shortNumber())
        guard count <= source.count - position else { throw .malformed("it ends after \(source.count) bytes") }
        defer { position += count }
        return Array(source[position..<(position + count)])
    }

    mutating func text() throws(LeaseRecordError) -> String {
        guard let text = String(validating: try bytes(), as: UTF8.self) else { throw .malformed("a text is not UTF-8") }
        return text
    }

    mutating func optionalText() throws(LeaseRecordError) -> String? {
        try byte() == 0 ? nil : try text()
    }
}
