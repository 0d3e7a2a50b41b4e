// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Writes names and values so that PostgreSQL reads exactly them.
enum SQLQuoting {
    /// A name in double quotes.
    static func name(_ name: String) -> String { "\"\(doubled(name, "\""))\"" }

    /// A value in single quotes; one with a backslash as an escape string, whatever the server's settings are.
    static func literal(_ value: String) -> String {
        let text = doubled(value, "'")
        return text.utf8.contains(UInt8(ascii: "\\")) ? " E'\(doubled(text, "\\"))'" : "'\(text)'"
    }

    /// Doubles each `mark` of a text.
    static func doubled(_ text: String, _ mark: Unicode.Scalar) -> String {
        guard text.unicodeScalars.contains(mark) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar)
            if scalar == mark { result.append(scalar) }
        }
        return String(result)
    }
}
