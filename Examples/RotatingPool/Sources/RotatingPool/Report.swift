// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The outcomes as a table, and what is wrong with them.
enum Report {
    private static let columns = [
        "queries", "failed", "refused", "revoked", "cut off", "rotations", "users", "left", "pause", "time",
    ]

    static func heading() -> String { line("", columns) }

    static func line(_ outcome: Trial.Outcome) -> String {
        let tally = outcome.tally
        let numbers = [
            tally.queries, tally.failed, tally.refused, tally.onRevoked, tally.cutOff, outcome.rotations,
            outcome.users.most, outcome.left,
        ]
        let times = [outcome.pauses.longest.inMilliseconds, seconds(outcome.length)]
        return line(outcome.name, numbers.map(String.init) + times)
    }

    private static func line(_ name: String, _ cells: [String]) -> String {
        let name = name.padding(toLength: 35, withPad: " ", startingAt: 0)
        return name
            + zip(columns, cells).map { column, cell in
                String(repeating: " ", count: max(0, max(column.count, 6) + 2 - cell.count)) + cell
            }.joined()
    }

    private static func seconds(_ length: Duration) -> String {
        String(format: "%.1f s", Double(length.components.seconds) + Double(length.components.attoseconds) / 1e18)
    }
}

extension Trial.Outcome {
    /// What is not as a pool with a rotating credential has to be.
    func flaws(rotations wanted: Int, _ troubles: [Trial.Trouble]) -> [String] {
        var flaws: [String] = []
        func require(_ holds: Bool, _ sentence: String) {
            if !holds { flaws.append("\(name): \(sentence)") }
        }
        require(tally.failed == 0, "\(tally.failed) queries failed, the first with: \(tally.firstFailure ?? "?")")
        require(tally.refused == 0, "\(tally.refused) logins were refused")
        let first = tally.firstOnRevoked.map { "\($0)" } ?? "?"
        require(tally.onRevoked == 0, "\(tally.onRevoked) queries ran as a user that was revoked; the first: \(first)")
        require(rotations >= wanted, "\(rotations) rotations instead of \(wanted)")
        require(users.most == 2, "\(users.most) users at once instead of two")
        require(left == 0, "\(left) users were left at the server")
        // What nobody noticed proves nothing.
        require(tally.queries > 10 * wanted, "only \(tally.queries) queries")
        require(users.looks > 10 * wanted, "only \(users.looks) looks at the server's users")
        if wasStarved, !flaws.isEmpty {
            let (machine, tasks) = (pauses.machine.inMilliseconds, pauses.tasks.inMilliseconds)
            let stood = "the machine stood still for \(machine), its tasks for \(tasks)"
            let waited =
                "a login waited \(pauses.connecting.inMilliseconds), renewals \(pauses.overtime.inMilliseconds) more than planned"
            flaws.append("\(name): \(stood), \(waited): longer than a connection may be in use")
        }
        for trouble in troubles {
            switch trouble {
            case .restart: require(tally.cutOff > 0, "the restart cut nothing off")
            case .refusedRenewals: require(refusedRenewals > 0, "no renewal was refused")
            case .slowLogins: require(slowLogins > 0, "no login was slow")
            }
        }
        return flaws
    }
}
