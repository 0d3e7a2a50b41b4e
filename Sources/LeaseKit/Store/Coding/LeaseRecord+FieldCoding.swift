// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseRecord.Fields {
    private enum Tag: UInt8 {
        case period = 1, explicitMaximum, usesLeft, requestID, owner, label, sealedPayload, failure, cause, otherOrder
    }

    /// Writes what is there, each field as tag, length and bytes.
    func encode(to writer: inout ByteWriter) {
        writer.write(period, Tag.period.rawValue)
        writer.write(explicitMaximum, Tag.explicitMaximum.rawValue)
        if let usesLeft { writer.field(Tag.usesLeft.rawValue) { $0.write(usesLeft) } }
        if let requestID { writer.field(Tag.requestID.rawValue) { $0.write(Array(requestID.utf8)) } }
        if let owner { writer.field(Tag.owner.rawValue) { $0.write(Array(owner.utf8)) } }
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            writer.field(Tag.label.rawValue) {
                $0.write(Array(name.utf8))
                $0.write(Array(value.utf8))
            }
        }
        if let sealedPayload { writer.field(Tag.sealedPayload.rawValue) { $0.write(sealedPayload) } }
        if let failure {
            writer.field(Tag.failure.rawValue) {
                $0.write(Array(failure.code.utf8))
                $0.write(Array(failure.message.utf8))
            }
        }
        if let cause {
            writer.field(Tag.cause.rawValue) {
                $0.write(Array(cause.reason.rawValue.utf8))
                $0.write(cause.actor)
                $0.write(cause.requestID)
            }
        }
        for order in otherOrders { writer.field(Tag.otherOrder.rawValue) { $0.write(order.rawValue) } }
    }

    /// Reads fields to the end of the bytes.
    init(_ reader: inout ByteReader) throws(LeaseRecordError) {
        self.init()
        while !reader.isAtEnd {
            let raw = try reader.byte()
            var field = ByteReader(try reader.bytes())
            guard let tag = Tag(rawValue: raw) else { throw .malformed("it has an unknown field \(raw)") }
            try read(tag, &field)
            if !field.isAtEnd { throw .malformed("field \(raw) is longer than it should be") }
        }
    }

    private mutating func read(_ tag: Tag, _ field: inout ByteReader) throws(LeaseRecordError) {
        switch tag {
        case .period: period = try field.duration()
        case .explicitMaximum: explicitMaximum = try field.duration()
        case .usesLeft: usesLeft = try field.shortNumber()
        case .requestID: requestID = try field.text()
        case .owner: owner = try field.text()
        case .label:
            let name = try field.text()
            labels[name] = try field.text()
        case .sealedPayload: sealedPayload = try field.bytes()
        case .failure:
            let code = try field.text()
            failure = LeaseFailure(code: code, message: try field.text())
        case .cause:
            let reason = LeaseCause.Reason(try field.text())
            let actor = try field.optionalText()
            cause = LeaseCause(reason, actor: actor, requestID: try field.optionalText())
        case .otherOrder: otherOrders.append(RevocationOrderID(rawValue: try field.number()))
        }
    }
}
