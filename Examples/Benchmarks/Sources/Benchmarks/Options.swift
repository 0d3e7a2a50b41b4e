// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// What was asked for on the command line.
struct Options {
    var wantsHelp = false
    var checks = false
    var style = Report.Style.table
    var scale = Scale()
    /// The groups to run; all when empty.
    var groups: Set<String> = []

    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: some Sequence<String>) throws(Mistake) {
        var isName = false
        for argument in arguments {
            if isName {
                try add(group: argument)
                isName = false
                continue
            }
            switch argument {
            case "--help", "-h": wantsHelp = true
            case "--json": style = .json
            case "--check": checks = true
            case "--quick": scale = .quick
            case "--only": isName = true
            default: throw Mistake(description: "unknown argument '\(argument)'; --help lists them all")
            }
        }
        if isName { throw Mistake(description: "--only needs the name of a group; --help lists them all") }
    }

    private mutating func add(group: String) throws(Mistake) {
        guard Group.all.contains(where: { $0.name == group }) else {
            let names = Group.all.map(\.name).joined(separator: ", ")
            throw Mistake(description: "there is no group '\(group)'. There are: \(names)")
        }
        groups.insert(group)
    }

    static var help: String {
        let width = Group.all.map(\.name.count).max() ?? 0
        let groups = Group.all.map { "  \(padded($0.name, to: width))  \($0.summary)" }.joined(separator: "\n")
        return """
            Usage: Examples/run Benchmarks [--quick] [--only GROUP]… [--json] [--check]

            Measures LeaseKit through its public API: an in-memory store and a backend that does nothing.

              --only GROUP  run one group; may be given more than once
              --quick       10,000 leases only
              --json        one JSON object a line instead of a table
              --check       exit with 1 when a target is missed
              --help        show this

            Groups:
            \(groups)
            """
    }
}
