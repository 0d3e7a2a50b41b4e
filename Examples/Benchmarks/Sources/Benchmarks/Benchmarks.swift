// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Measures what LeaseKit costs: see the README beside the package, or `--help`.
@main
struct Benchmarks {
    static func main() async throws {
        let options: Options
        do {
            options = try Options(CommandLine.arguments.dropFirst())
        } catch {
            complain("\(error)")
            exit(status: 2)
        }
        if options.wantsHelp { return print(Options.help) }

        var report = Report(style: options.style)
        for group in Group.all where options.groups.isEmpty || options.groups.contains(group.name) {
            report.add(try await group.measure(options.scale))
        }
        report.finish()
        if options.checks && report.missed > 0 { exit(status: 1) }
    }
}
