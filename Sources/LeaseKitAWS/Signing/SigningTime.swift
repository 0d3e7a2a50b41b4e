// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// A time as signatures write it: `20261121T080000Z`, and its day.
struct SigningTime: Sendable {
    let second: Int64
    let text: String
    let day: String

    init(_ instant: LeaseInstant) {
        second = instant.wholeSecondsSinceEpoch
        let whole = LeaseInstant(secondsSinceEpoch: second)
        text = whole.description.filter { $0 != "-" && $0 != ":" }
        day = String(text.prefix(8))
    }
}
