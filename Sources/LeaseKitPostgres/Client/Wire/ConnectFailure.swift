// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// Reads why a connection could not be made, out of the only thing that libpq tells: a text.
///
/// With its verbosity at the code alone, what a server answers ends in `FATAL:  28P01`. Other lines are libpq's own; they are
/// looked through for a word or two, and not shown.
enum ConnectFailure {
    static func error(text: String, needsPassword: Bool) -> PostgresError {
        if needsPassword {
            return PostgresError(
                .denied,
                scope: .target,
                code: "noPassword",
                "the server asks for a password, and the login has none"
            )
        }
        let lines = text.split(whereSeparator: \.isNewline)
        if let state = lines.reversed().lazy.compactMap(state).first {
            return PostgresError(sqlState: state, during: .connecting)
        }
        if text.contains("SSL") || text.contains("certificate") {
            return PostgresError(
                .denied,
                scope: .target,
                code: "tls",
                "the connection could not be secured: see to the mode, the root certificate and the name in the server's"
            )
        }
        if text.contains("read-only") || text.contains("standby") {
            return PostgresError(.transient, scope: .target, code: "readOnly", "no server there accepts writes")
        }
        return PostgresError(.transient, scope: .target, code: "unreachable", "the server cannot be reached")
    }

    private static func state(_ line: Substring) -> SQLState? {
        guard let blanks = line.range(of: ":  "), line[blanks.upperBound...].utf8.count == 5 else { return nil }
        let code = String(line[blanks.upperBound...])
        let state = SQLState(code)
        return state.description == code ? state : nil
    }
}

extension Substring {
    /// The last place of a text in it.
    fileprivate func range(of text: String) -> Range<Index>? {
        var index = endIndex
        while index > startIndex {
            index = self.index(before: index)
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
        }
        return nil
    }
}
