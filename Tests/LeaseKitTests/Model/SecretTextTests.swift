// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

@Suite struct SecretTextTests {
    private let secret = SecretText("correct horse")

    @Test func printsNothingOfItself() {
        var dumped = ""
        dump([secret], to: &dumped)
        struct Holder { let password: SecretText }
        dump(Holder(password: secret), to: &dumped)
        let texts = ["\(secret)", String(reflecting: secret), String(describing: [secret]), dumped]
        for text in texts { #expect(!text.contains("horse")) }
        #expect("\(secret)" == "<redacted>")
    }

    @Test func isReadInAScope() {
        #expect(secret.withText { $0 } == "correct horse")
        #expect(secret.withBytes { Array($0) } == Array("correct horse".utf8))
        #expect(secret.byteCount == 13)
    }

    @Test(arguments: [("correct horse", true), ("correct house", false), ("correct", false), ("", false)])
    func comparesByContent(other: String, isEqual: Bool) {
        #expect((secret == SecretText(other)) == isEqual)
    }

    @Test func theEmptySecretIsFine() {
        #expect(SecretText("") == SecretText(utf8: []))
        #expect(SecretText("").withText { $0.isEmpty })
    }
}
