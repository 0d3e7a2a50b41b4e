// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A file of profiles: sections in brackets, `name = value` in lines, comments behind `#` and `;`.
struct ConfigurationFile {
    private(set) var sections: [String: [String: String]] = [:]

    /// Reads a file.
    ///
    /// In the configuration a section is called `profile NAME`, but for `default`; in the file of credentials it has the
    /// name alone. Indented lines belong to the setting above, and none of those matters here.
    init(_ text: String, isConfiguration: Bool) {
        var section: String?
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, !line.allSatisfy(\.isWhitespace), first != "#", first != ";" else { continue }
            if first == "[" {
                section = Self.section(line, isConfiguration)
                if let section, sections[section] == nil { sections[section] = [:] }
            } else if let section, !first.isWhitespace, let place = line.firstIndex(of: "=") {
                let name = Self.trimmed(line[..<place]).lowercased()
                sections[section]?[name] = Self.trimmed(Self.withoutComment(line[line.index(after: place)...]))
            }
        }
    }

    private static func section(_ line: Substring, _ isConfiguration: Bool) -> String? {
        guard let end = line.firstIndex(of: "]") else { return nil }
        let words = trimmed(line[line.index(after: line.startIndex)..<end]).split(whereSeparator: \.isWhitespace)
        switch (words.first, words.count) {
        case (let name?, 1): return !isConfiguration || name == "default" ? unquoted(name) : nil
        case ("profile", 2...) where isConfiguration: return unquoted(words.dropFirst().joined(separator: " ")[...])
        default: return nil
        }
    }

    private static func unquoted(_ name: Substring) -> String {
        name.count >= 2 && name.first == "\"" && name.last == "\"" ? String(name.dropFirst().dropLast()) : String(name)
    }

    /// A comment needs a space before it: keys have `#` and `;` in them, too.
    private static func withoutComment(_ value: Substring) -> Substring {
        var last: Character = " "
        for place in value.indices {
            if (value[place] == "#" || value[place] == ";") && last.isWhitespace { return value[..<place] }
            last = value[place]
        }
        return value
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
