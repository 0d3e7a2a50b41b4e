// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseRecord {
    /// The fields that most leases lack, in a box that is copied when it is written.
    public struct Details: Sendable {
        private var box: Box

        private final class Box: Sendable {
            let fields: Fields
            init(_ fields: consuming Fields) { self.fields = fields }
        }

        /// Makes details from their fields.
        public init(_ fields: consuming Fields = Fields()) { box = Box(fields) }

        /// The fields.
        public var fields: Fields {
            get { box.fields }
            set { box = Box(newValue) }
        }
    }

    /// The fields themselves.
    public struct Fields: Hashable, Sendable {
        /// The length of one period; a periodic lease has no age limit of its own.
        public var period: Duration?
        /// The age that the issuer allows at most, whatever the role says later.
        public var explicitMaximum: Duration?
        /// How many more times it may be used.
        public var usesLeft: UInt32?
        /// The request that it answers; a repeated request finds it.
        public var requestID: String?
        /// For whom it is held.
        public var owner: String?
        /// The application's own labels, at most 512 bytes.
        public var labels: [String: String] = [:]
        /// Something encrypted that belongs to the lease, whose key is not here.
        public var sealedPayload: [UInt8]?
        /// What went wrong last.
        public var failure: LeaseFailure?
        /// Why it ends.
        public var cause: LeaseCause?
        /// Orders that cover it beside the first one.
        public var otherOrders: [RevocationOrderID] = []

        /// Makes empty fields.
        public init() {}

        /// Whether nothing is set: what `self == Fields()` says, the field first that is most likely there.
        var isEmpty: Bool {
            cause == nil && failure == nil && requestID == nil && owner == nil && period == nil
                && explicitMaximum == nil
                && usesLeft == nil && sealedPayload == nil && labels.isEmpty && otherOrders.isEmpty
        }
    }

    /// Changes the rare fields, and drops them altogether when nothing is left.
    package mutating func update(_ change: (inout Fields) -> Void) {
        var fields = details?.fields ?? Fields()
        change(&fields)
        details = if fields.isEmpty { nil } else { Details(consume fields) }
    }

    /// The length of one period.
    public var period: Duration? { details?.fields.period }
    /// The age that the issuer allows at most.
    public var explicitMaximum: Duration? { details?.fields.explicitMaximum }
    /// How many more times it may be used; nil for any number.
    public var usesLeft: UInt32? { details?.fields.usesLeft }
    /// The request that it answers.
    public var requestID: String? { details?.fields.requestID }
    /// For whom it is held.
    public var owner: String? { details?.fields.owner }
    /// The application's own labels.
    public var labels: [String: String] { details?.fields.labels ?? [:] }
    /// Something encrypted that belongs to the lease.
    public var sealedPayload: [UInt8]? { details?.fields.sealedPayload }
    /// What went wrong last.
    public var failure: LeaseFailure? { details?.fields.failure }
    /// Why it ends.
    public var cause: LeaseCause? { details?.fields.cause }
}

extension LeaseRecord.Details {
    var otherOrders: [RevocationOrderID] { fields.otherOrders }
}
