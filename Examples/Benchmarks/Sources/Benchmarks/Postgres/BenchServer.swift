// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitPostgres

/// The server that `Examples/run` started for this.
struct BenchServer: Sendable {
    let port: Int
    let password: String
    let pid: Int

    /// Nil when nobody started one.
    init?() {
        let words = (ProcessInfo.processInfo.environment["LEASEKIT_POSTGRES"] ?? "").split(separator: " ").map(
            String.init
        )
        guard words.count == 3, let port = Int(words[0]), let pid = Int(words[2]) else { return nil }
        (self.port, password, self.pid) = (port, words[1], pid)
    }

    /// Of some password, with one iteration: what the server does with it costs next to nothing.
    static let verifier = makeVerifier(iterations: 1)

    static func makeVerifier(iterations: Int) -> String {
        let password = PasswordPolicy().makePassword()
        return (try? SCRAMVerifier(password, iterations: iterations).text.withText { $0 }) ?? ""
    }

    func client(_ connections: Int) -> LibPQClient {
        let secret = SecretText(password)
        return LibPQClient(
            PostgresConfiguration(
                hosts: [PostgresConfiguration.Host("127.0.0.1", port: port)],
                tls: .disabled,
                maxConnections: connections
            ) { PostgresConfiguration.Login(user: "postgres", password: secret) }
        )
    }

    /// The seconds of processor time that the server and its children have used so far.
    var processorTime: Double {
        var ticks = 0.0
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int($0) } ?? []
        for number in numbers {
            guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { continue }
            let fields = text[text.index(after: end)...].split(separator: " ").map(String.init)
            guard fields.count > 14 else { continue }
            let isOurs = number == pid || Int(fields[1]) == pid
            if !isOurs { continue }
            ticks += (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)
            // Children that have ended are in their parent's sum.
            if number == pid { ticks += (Double(fields[13]) ?? 0) + (Double(fields[14]) ?? 0) }
        }
        return ticks / 100
    }
}
