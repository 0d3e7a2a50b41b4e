// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What a table of one size costs, and what the same costs SQLite alone on a copy of the very file.
struct TableCosts {
    let size: Int
    var opened = 0.0
    var resident = 0.0
    var page = Cost()
    var issue = 0.0
    /// Claiming and removing what is due, where it lies together: the oldest 100 k leases, or all of them if there are fewer.
    var together = Cost()
    /// The same where it lies apart, as every tenth of the rest; nil for a table that has no rest.
    var apart: Cost?
    var bytes = 0.0

    /// A cost, and that of SQLite alone.
    struct Cost {
        var own = 0.0
        var raw = 0.0
    }

    init(size: Int) { self.size = size }

    func measurements(isLargest: Bool) -> [Measurement] {
        let name = "SQLite at \(text(of: size))"
        let due = size > DueLeases.together ? "the oldest \(text(of: DueLeases.together)), due" : "all, due"
        var all = [
            Measurement("\(name): open and first issue", opened, "ms", target: isLargest ? 200 : nil),
            Measurement("\(name): memory for it", resident, "MiB", target: isLargest ? 64 : nil),
            Measurement(
                "\(name): page of 100 by prefix",
                page.own,
                "ms",
                baseline: page.raw,
                target: isLargest ? 2 : nil
            ),
            Measurement("\(name): issue", issue, "µs"),
            Measurement(
                "\(name): claim and remove \(due)",
                together.own,
                "µs a lease",
                baseline: together.raw,
                target: size > DueLeases.together ? nil : 20
            ),
        ]
        if let apart {
            all.append(
                Measurement(
                    "\(name): claim and remove every tenth",
                    apart.own,
                    "µs a lease",
                    baseline: apart.raw
                )
            )
        }
        all.append(Measurement("\(name): on the disk", bytes, "bytes a lease"))
        return all
    }

    /// How many times more things cost than in a smaller table; the baseline is how many times more they cost SQLite alone.
    func growth(since small: TableCosts) -> [Measurement] {
        let name = "SQLite at \(text(of: size)) : at \(text(of: small.size))"
        func growth(_ what: String, _ large: Cost, _ little: Cost) -> Measurement {
            Measurement(
                "\(name): \(what)",
                large.own / little.own,
                "times",
                baseline: large.raw / little.raw,
                target: 2
            )
        }
        var all = [
            Measurement("\(name): issue", issue / small.issue, "times", target: 2),
            growth("claim and remove", together, small.together),
            growth("page of 100 by prefix", page, small.page),
        ]
        if let apart { all.append(growth("claim and remove every tenth", apart, small.together)) }
        return all
    }
}
