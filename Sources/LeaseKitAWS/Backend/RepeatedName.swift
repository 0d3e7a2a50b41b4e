// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Finds names that stand twice in one object of a JSON text.
///
/// Parsers drop one of the two without a word. A policy that was read and written again could then allow more than what stood there,
/// while AWS refuses the original.
enum RepeatedName {
    private struct Level {
        var names: Set<String>?
    }

    /// The first such name of a text that is known to be JSON.
    static func first(in text: String) -> String? {
        let bytes = Array(text.utf8)
        var (levels, isName, place): ([Level], Bool, Int) = ([], false, 0)
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "{"):
                levels.append(Level(names: []))
                isName = true
            case UInt8(ascii: "["):
                levels.append(Level(names: nil))
                isName = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
            case UInt8(ascii: ","): isName = levels.last?.names != nil
            case UInt8(ascii: "\""):
                let start = place
                place = end(ofTextAt: place, bytes)
                if isName, !levels.isEmpty, place < bytes.count {
                    let name = decoded(bytes[start...place])
                    if levels[levels.count - 1].names?.insert(name).inserted == false { return name }
                }
                isName = false
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Where the quote is that closes a text.
    private static func end(ofTextAt start: Int, _ bytes: [UInt8]) -> Int {
        var place = start + 1
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return place
    }

    /// A text without its quotes and escapes, which can write one name in many ways.
    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        let plain = String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
        guard plain.utf8.contains(UInt8(ascii: "\\")) else { return plain }
        return (try? JSONDecoder().decode([String].self, from: Data("[".utf8) + bytes + Data("]".utf8)))?.first ?? plain
    }
}
