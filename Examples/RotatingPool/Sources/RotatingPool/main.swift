// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

// A small pool on a real PostgreSQL, which `Examples/run` starts: sixteen workers ask without pause while its credential
// rotates. Beside it three pools as they are often written, under the same load.

/// Shows a line at once, also in a file: a run takes a while.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let arguments = CommandLine.arguments.dropFirst()
guard arguments.isEmpty || arguments == ["--quick"] else {
    print(
        """
        Usage: Examples/run RotatingPool [--quick]

          --quick  a quarter of the rotations
        """
    )
    exit(arguments == ["--help"] || arguments == ["-h"] ? 0 : 2)
}
guard let server = Server(ProcessInfo.processInfo.environment) else {
    print("This example needs a server: Examples/run RotatingPool starts one.")
    exit(1)
}
try await server.prepare()

let rotations = arguments.isEmpty ? 100 : 25
let trial = Trial(server: server, rotations: rotations, interval: .milliseconds(200))
let naive = Trial(server: server, rotations: rotations / 5, interval: .milliseconds(120))
var troubles: [(name: String, [Trial.Trouble])] = [("LeaseKit", [])]
if server.restart != nil { troubles.append(("LeaseKit, server restarted", [.restart])) }
troubles.append(("LeaseKit, renewals refused", [.refusedRenewals]))

say("16 workers, \(rotations) rotations; of the naive pools \(rotations / 5)\n\n\(Report.heading())")
var flaws: [String] = []
var refusedRenewals = 0
for (name, troubles) in troubles {
    let outcome = try await trial.rotate(name, troubles)
    say(Report.line(outcome))
    flaws += outcome.flaws(rotations: rotations, troubles)
    refusedRenewals += outcome.refusedRenewals
}
for pattern in NaivePool.Pattern.allCases { say(Report.line(try await naive.tryNaively(pattern))) }
say("\nrenewals that the server refused: \(refusedRenewals)")
if !flaws.isEmpty {
    say("\nNot as it has to be:\n" + flaws.map { "  " + $0 }.joined(separator: "\n"))
    exit(1)
}
