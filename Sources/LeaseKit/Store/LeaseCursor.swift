// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Where to read on in a listing.
///
/// Text, so that it can travel through an API.
///
/// It belongs to one query on one store; anywhere else it is refused rather than read wrongly.
public struct LeaseCursor: Hashable, Sendable, CustomStringConvertible {
    /// The cursor as text.
    public let text: String

    /// Takes a cursor back from its text.
    ///
    /// Whether it fits is checked when it is used.
    public init(text: String) { self.text = text }

    /// Makes a cursor for a store: `position` is the store's own.
    public init(position: String, query: LeaseQuery, store: String) {
        text = "\(Self.seal(position, query, store)).\(position)"
    }

    /// The store's own position, if the cursor was made by it for this query.
    ///
    /// - Throws: ``LeaseError`` with code ``LeaseError/Code/invalidCursor``.
    public func position(for query: LeaseQuery, store: String) throws(LeaseError) -> String {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == Self.seal(String(parts[1]), query, store) else {
            throw LeaseError(
                .invalidCursor,
                "this cursor was not made for this query on this store; start again without a cursor"
            )
        }
        return String(parts[1])
    }

    /// The cursor as text.
    public var description: String { text }

    /// A checksum (FNV-1a) over everything that the cursor depends on.
    ///
    /// It guards against mistakes, not against forgery: a forged position shows nothing that the query would not
    /// show.
    private static func seal(_ position: String, _ query: LeaseQuery, _ store: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ text: String) {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01b3
        }
        mix(store)
        mix(query.prefix.map { "p\($0)" } ?? "-")
        mix(query.parent?.text ?? "-")
        mix(query.state.map { "\($0.rawValue)" } ?? "-")
        mix(query.mount.map { "\($0.rawValue)" } ?? "-")
        mix(query.owner.map { "o\($0)" } ?? "-")
        mix(query.order?.description ?? "-")
        mix(position)
        return String(hash, radix: 36)
    }
}
