// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Who waits for a place at a mount, first come first served.
///
/// Nobody passes by somebody who waits: only the first in the line may take a place, and whoever leaves the line, in whatever
/// way, calls the next. So no place stays empty while somebody waits for it, and nobody waits for ever.
struct WaitingLine: Sendable {
    private var line: [(ticket: UInt64, turn: Reply<Void>)] = []
    private var lastTicket: UInt64 = 0

    var isEmpty: Bool { line.isEmpty }

    /// Whether it is the turn of whoever has this ticket, or none yet.
    func isTurn(of ticket: UInt64?) -> Bool { line.first.map { $0.ticket == ticket } ?? true }

    /// Waits at the end, or stays where it is, until `turn` is answered; false when the line is full.
    mutating func wait(_ ticket: inout UInt64?, _ turn: Reply<Void>, limit: Int) -> Bool {
        if let ticket, let place = line.firstIndex(where: { $0.ticket == ticket }) {
            line[place].turn = turn
            return true
        }
        guard line.count < limit else { return false }
        lastTicket += 1
        ticket = lastTicket
        line.append((lastTicket, turn))
        return true
    }

    /// Leaves the line.
    mutating func leave(_ ticket: UInt64?) {
        guard let ticket, let place = line.firstIndex(where: { $0.ticket == ticket }) else { return }
        line.remove(at: place)
    }

    /// What the first in the line waits for.
    var first: Reply<Void>? { line.first?.turn }
}
