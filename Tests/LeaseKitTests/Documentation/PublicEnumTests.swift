// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A public enum that grows breaks whoever switches over it: each one of the core may grow, or says why it never will.
@Suite struct PublicEnumTests {
    @Test func eachMayGrowOrSaysWhyNot() throws {
        var count = 0
        for file in try Repository.sources(of: "LeaseKit") {
            let lines = try file.text().components(separatedBy: "\n")
            for (number, line) in lines.enumerated() where line.contains("public enum ") {
                count += 1
                let above = lines[..<number].reversed().prefix { !$0.trimmingCharacters(in: .whitespaces).isEmpty }
                let indent = line.prefix { $0 == " " }
                let body = lines[(number + 1)...].prefix { $0 != indent + "}" }
                let isNamespace = !body.contains { $0.hasPrefix(indent + "    case ") }
                let isSettled = above.contains { $0.contains("@nonexhaustive") || $0.contains("/// Frozen: ") }
                #expect(isNamespace || isSettled, "\(file.name):\(number + 1) \(line)")
            }
        }
        #expect(count > 10)
    }
}
