// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite struct LeaseRecordCodingTests {
    @Test func comesBackAsItWas() throws {
        for seed in UInt64(1)...200 {
            let record = Self.record(seed)
            let copy = try LeaseRecord(encoded: record.encoded())
            #expect(copy.encoded() == record.encoded())
            #expect(copy.id == record.id && copy.name == record.name && copy.handle == record.handle)
            #expect(copy.state == record.state && copy.expiresAt == record.expiresAt && copy.parent == record.parent)
            #expect(copy.details?.fields == record.details?.fields)
        }
    }

    @Test func refusesALaterVersionAndNamesTheFix() {
        var bytes = Self.record(1).encoded()
        bytes[0] = UInt8(LeaseRecord.currentVersion + 1)
        #expect(throws: LeaseRecordError.futureVersion(LeaseRecord.currentVersion + 1)) {
            try LeaseRecord(encoded: bytes)
        }
        #expect(LeaseRecordError.futureVersion(2).description.contains("update LeaseKit"))
    }

    @Test func refusesEveryBeginningOfARecord() {
        let bytes = Self.record(7).encoded()
        var wholeRecords = 0
        for length in 0..<bytes.count {
            // A cut at the end of a rare field leaves a shorter record that is whole.
            if (try? LeaseRecord(encoded: Array(bytes.prefix(length)))) != nil { wholeRecords += 1 }
        }
        #expect(wholeRecords < 15)
        #expect(throws: LeaseRecordError.self) { try LeaseRecord(encoded: []) }
        #expect(throws: LeaseRecordError.self) { try LeaseRecord(encoded: Array(bytes.prefix(100))) }
    }

    @Test func survivesEveryFlippedBit() {
        let bytes = Self.record(11).encoded()
        var refused = 0
        for position in bytes.indices {
            for bit in 0..<8 {
                var broken = bytes
                broken[position] ^= 1 << bit
                if (try? LeaseRecord(encoded: broken)) == nil { refused += 1 }
            }
        }
        #expect(refused > 0)
    }

    @Test func showsAnUnreadableRowAsQuarantined() {
        let failure = LeaseFailure(code: "malformedRecord", message: "it ends after 3 bytes")
        let record = LeaseRecord.unreadable(
            id: LeaseID(high: 1, low: 2),
            path: "database/creds/app",
            mount: MountID(rawValue: 1),
            sequence: 9,
            failure
        )
        #expect(record.state == .quarantined)
        #expect(record.due == .distantFuture)
        #expect(record.failure == failure)
    }

    /// A record with fields that depend on the seed, some of them absent.
    private static func record(_ seed: UInt64) -> LeaseRecord {
        var insertion = LeaseInsertion(
            id: LeaseID(high: seed &* 0x9E37_79B9_7F4A_7C15, low: ~seed),
            mount: MountID(rawValue: UInt32(seed)),
            path: "database/creds/ä\(seed)",
            handle: (0..<Int(seed % 90)).map { UInt8($0) },
            issuedAt: LeaseInstant(secondsSinceEpoch: Int64(seed) * 1_000),
            expiresAt: LeaseInstant(secondsSinceEpoch: Int64(seed) * 2_000),
            deadline: LeaseInstant(secondsSinceEpoch: Int64(seed) * 1_000 + 30)
        )
        if seed % 2 == 1 { insertion.parent = LeaseID(high: 5, low: seed) }
        if seed % 3 == 1 { insertion.role = Array("v\(seed)".utf8) }
        insertion.isRenewable = seed % 4 == 1
        var fields = LeaseRecord.Fields()
        if seed % 2 == 1 {
            fields.period = .seconds(Int64(seed))
            fields.explicitMaximum = .milliseconds(Int64(seed) * 1_500)
            fields.usesLeft = UInt32(seed)
            fields.requestID = "request-\(seed)"
            fields.owner = "owner"
            fields.labels = ["team": "payments", "": "empty"]
            fields.sealedPayload = [1, 2, 3]
            fields.failure = LeaseFailure(code: "28P01", message: "login refused")
            fields.cause = LeaseCause(.expired, actor: seed % 5 == 1 ? "ops" : nil, requestID: "r")
            fields.otherOrders = [RevocationOrderID(rawValue: seed), RevocationOrderID(rawValue: 7)]
        }
        insertion.fields = fields
        let context = StoreContext(
            now: LeaseInstant(secondsSinceEpoch: 1_000),
            operation: seed,
            incarnation: Incarnation(rawValue: 3),
            cause: LeaseCause(.requested)
        )
        return insertion.record(sequence: seed, context)
    }
}
