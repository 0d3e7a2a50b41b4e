// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite("Values of the store")
struct StoreValuesTests {
    @Test("paths that are refused", arguments: ["", "/a", "a/", "a//b", "a/./b", "..", "a\u{7}b"])
    func badPath(path: String) {
        let error = #expect(throws: LeaseError.self) { try LeasePath.validate(path) }
        #expect(error?.code == .invalidPath)
        #expect(error?.message.contains("\u{7}") == false, "no control character in a message")
    }

    @Test func longestPath() throws {
        try LeasePath.validate(String(repeating: "a", count: LeasePath.maximumLength))
        #expect(throws: LeaseError.self) {
            try LeasePath.validate(String(repeating: "a", count: LeasePath.maximumLength + 1))
        }
    }

    @Test(
        "what lies under a prefix",
        arguments: [
            ("a/b", "a/b", true), ("a/b/c", "a/b", true), ("a/bc", "a/b", false), ("a", "a/b", false),
            ("a", "", true), ("b/a/b", "a/b", false),
        ]
    )
    func lies(path: String, prefix: String, expected: Bool) {
        #expect(LeasePath.lies(path, under: prefix) == expected)
    }

    @Test func idsReadBackFromTheirText() {
        let ids = [
            LeaseID(high: 0, low: 0), LeaseID(high: .max, low: .max), LeaseID(high: 1, low: 1 << 63), .random(),
        ]
        for id in ids {
            #expect(id.text.utf8.count == 26)
            #expect(LeaseID(id.text) == id)
            #expect(LeaseID("db/app/\(id)") == id)
        }
        #expect(LeaseID("8" + String(repeating: "0", count: 25)) == nil, "more than 128 bits")
        #expect(LeaseID(String(repeating: "0", count: 25)) == nil)
        #expect(LeaseID(String(repeating: "i", count: 26)) == nil)
    }

    @Test func cursorFitsItsQueryAndStoreAlone() throws {
        let query = LeaseQuery(prefix: "a", owner: "ann")
        let cursor = LeaseCursor(position: "7:a/b.c", query: query, store: "s")
        #expect(try LeaseCursor(text: cursor.text).position(for: query, store: "s") == "7:a/b.c")
        let strangers: [(LeaseQuery, String)] = [(query, "t"), (.all, "s"), (LeaseQuery(prefix: "a"), "s")]
        for (query, store) in strangers {
            #expect(throws: LeaseError(.invalidCursor, "")) { try cursor.position(for: query, store: store) }
        }
        #expect(throws: LeaseError.self) { try LeaseCursor(text: "x").position(for: query, store: "s") }
    }

    @Test func firstBrokenQuotaIsNamed() {
        let quotas = LeaseQuotas(perMount: 4, perPath: 3, perParent: 2, perOwner: 1)
        typealias Usage = LeaseQuotas.Usage
        let table: [(Usage, LeaseQuotas.Scope?)] = [
            (Usage(mount: 4, path: 3), .mount), (Usage(mount: 3, path: 3, parent: 2), .path),
            (Usage(parent: 2, owner: 1), .parent), (Usage(owner: 1), .owner), (Usage(mount: 3), nil),
        ]
        for (usage, scope) in table { #expect(quotas.firstBroken(by: usage)?.scope == scope) }
        #expect(LeaseQuotas.unlimited.firstBroken(by: Usage(mount: .max)) == nil)
    }
}
