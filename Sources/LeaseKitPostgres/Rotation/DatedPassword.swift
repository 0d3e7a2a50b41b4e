// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A password and when it was made, as a keeper keeps them: `nanoseconds password`.
struct DatedPassword: Sendable {
    let madeAt: LeaseInstant
    let password: SecretText

    init(madeAt: LeaseInstant, password: SecretText) {
        self.madeAt = madeAt
        self.password = password
    }

    /// Nil for what was not written here.
    init?(reading secret: SecretText) {
        let read: (Int64, SecretText)? = secret.withText { text in
            guard let blank = text.firstIndex(of: " "), let time = Int64(text[..<blank]) else { return nil }
            return (time, SecretText(String(text[text.index(after: blank)...])))
        }
        guard let (time, password) = read else { return nil }
        self.init(madeAt: LeaseInstant(nanosecondsSinceEpoch: time), password: password)
    }

    var secret: SecretText {
        password.withText { SecretText("\(madeAt.nanosecondsSinceEpoch) \($0)") }
    }
}
