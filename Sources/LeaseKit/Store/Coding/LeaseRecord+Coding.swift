// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The bytes of a record, for stores that keep it as one piece.
///
/// ```
/// version │ fixed fields │ path │ handle │ role │ rare fields: tag, length, bytes …
/// ```
///
/// The first byte is the version. A later build reads every earlier version; an earlier build refuses a later one, and touches
/// nothing.
extension LeaseRecord {
    /// The record as bytes, in the layout of ``currentVersion``.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 192 + path.utf8.count + handle.count + role.count)
        writer.write(UInt8(Self.currentVersion))
        writer.write(id)
        writer.write(parentBits)
        for number in [sequence, operation, orderBits, claimBits] { writer.write(number) }
        for instant in [issuedAt, expiresAt, due] { writer.write(UInt64(bitPattern: instant.nanosecondsSinceEpoch)) }
        writer.write(UInt64(bitPattern: lastRenewal))
        for number in [mount.rawValue, generation, incarnation.rawValue, attempts] { writer.write(number) }
        for byte in [state.rawValue, kind.rawValue, urgency.rawValue, flags.rawValue] { writer.write(byte) }
        writer.write(Array(path.utf8))
        writer.write(handle)
        writer.write(role)
        details?.fields.encode(to: &writer)
        return writer.bytes
    }

    /// Reads a record back.
    ///
    /// - Throws: ``LeaseRecordError`` for bytes of a future version and for bytes that are no record. A store then keeps them as
    ///   they are and shows ``unreadable(id:path:mount:sequence:_:)`` in their place.
    public init(encoded bytes: [UInt8]) throws(LeaseRecordError) {
        var reader = ByteReader(bytes)
        let version = Int(try reader.byte())
        guard version <= Self.currentVersion else { throw .futureVersion(version) }
        guard version == 1 else { throw .malformed("it begins with \(version), which is no version of a record") }
        self = try Self.version1(&reader)
    }

    private static func version1(_ reader: inout ByteReader) throws(LeaseRecordError) -> LeaseRecord {
        let id = try reader.leaseID()
        let parent = try reader.leaseID()
        let (sequence, operation) = (try reader.number(), try reader.number())
        let (order, claim) = (try reader.number(), try reader.number())
        let (issuedAt, expiresAt, due) = (try reader.instant(), try reader.instant(), try reader.instant())
        let lastRenewal = Int64(bitPattern: try reader.number())
        let (mount, generation) = (try reader.shortNumber(), try reader.shortNumber())
        let (incarnation, attempts) = (try reader.shortNumber(), try reader.shortNumber())
        guard let state = LeaseState(rawValue: try reader.byte()) else { throw .malformed("its state is unknown") }
        guard let kind = LeaseKind(rawValue: try reader.byte()) else { throw .malformed("its kind is unknown") }
        guard let urgency = LeaseUrgency(rawValue: try reader.byte()) else {
            throw .malformed("its urgency is unknown")
        }
        let flags = Flags(rawValue: try reader.byte())
        let path = try reader.text()
        let (handle, role) = (try reader.bytes(), try reader.bytes())
        let fields = try Fields(&reader)
        return LeaseRecord(
            id: id,
            path: path,
            handle: handle,
            role: role,
            sequence: sequence,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            due: due,
            operation: operation,
            mount: MountID(rawValue: mount),
            generation: generation,
            incarnation: Incarnation(rawValue: incarnation),
            attempts: attempts,
            state: state,
            kind: kind,
            urgency: urgency,
            flags: flags,
            parentBits: parent,
            lastRenewal: lastRenewal,
            orderBits: order,
            claimBits: claim,
            details: fields == Fields() ? nil : Details(fields)
        )
    }

    /// What a store shows in the place of a row that it cannot read: quarantined, never due, with the reason.
    public static func unreadable(
        id: LeaseID,
        path: String,
        mount: MountID,
        sequence: UInt64,
        _ failure: LeaseFailure
    ) -> LeaseRecord {
        var fields = Fields()
        fields.failure = failure
        return LeaseRecord(
            id: id,
            path: path,
            handle: [],
            role: [],
            sequence: sequence,
            issuedAt: .distantPast,
            expiresAt: .distantFuture,
            due: .distantFuture,
            operation: 0,
            mount: mount,
            generation: 0,
            incarnation: Incarnation(rawValue: 0),
            attempts: 0,
            state: .quarantined,
            kind: .credential,
            urgency: .expiry,
            flags: [],
            parentBits: LeaseID(high: 0, low: 0),
            lastRenewal: .min,
            orderBits: 0,
            claimBits: 0,
            details: Details(fields)
        )
    }
}
