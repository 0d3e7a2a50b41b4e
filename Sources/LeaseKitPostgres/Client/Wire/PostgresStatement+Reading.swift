// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What the first words of a statement tell about what it does to its connection.
extension PostgresStatement {
    private var words: [String] {
        text.prefix(64).split(maxSplits: 2, omittingEmptySubsequences: true) { !$0.isLetter && $0 != "_" }
            .prefix(2).map { $0.uppercased() }
    }

    /// Whether it commits what came before.
    var commits: Bool { ["COMMIT", "END", "PREPARE"].contains(words.first) }

    /// Whether a transaction that it is part of would be over, or a second one begun.
    var movesTransaction: Bool {
        switch words.first {
        case "BEGIN", "START", "COMMIT", "END", "ABORT": true
        case "ROLLBACK": words.last != "TO"
        case "PREPARE": words.last == "TRANSACTION"
        default: false
        }
    }

    /// Whether it changes the session beyond its transaction.
    var changesSession: Bool {
        switch words.first {
        case "SET": !["LOCAL", "TRANSACTION", "CONSTRAINTS"].contains(words.last)
        case "RESET", "DISCARD", "DEALLOCATE": true
        default: false
        }
    }

    /// Whether C would see another statement than we do.
    var hasZeroByte: Bool {
        text.utf8.contains(0) || parameters.contains { $0?.utf8.contains(0) ?? false }
    }
}
