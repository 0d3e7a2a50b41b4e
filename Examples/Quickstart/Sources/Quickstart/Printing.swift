// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Begins a chapter.
func heading(_ text: String) {
    print("\n\(text)\n\(String(repeating: "-", count: text.count))")
}

/// Prints a line of the story.
func say(_ text: String) {
    print(text)
}

/// Prints every event, indented.
///
/// A service writes them to its log and counts them.
///
/// Observers are told in the middle of the work, so they hand on whatever takes time.
struct EventPrinter: LeaseObserver {
    func observe(_ event: LeaseEvent) {
        print("    event: \(event)")
    }
}
