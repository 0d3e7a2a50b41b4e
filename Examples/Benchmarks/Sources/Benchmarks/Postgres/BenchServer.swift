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

    /// The seconds of processor time that the server's processes have used so far, those that are still there.
    ///
    /// By the scheduler's own account where the kernel keeps one: the usual one counts in hundredths of a second.
    var processorTime: Double {
        var seconds = 0.0
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int($0) } ?? []
        for number in numbers {
            guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { continue }
            let fields = text[text.index(after: end)...].split(separator: " ").map(String.init)
            guard fields.count > 14, number == pid || Int(fields[1]) == pid else { continue }
            let exact = (try? String(contentsOfFile: "/proc/\(number)/schedstat", encoding: .utf8))?.split(
                separator: " "
            ).first
            if let nanoseconds = exact.flatMap({ Double($0) }) {
                seconds += nanoseconds / 1_000_000_000
            } else {
                seconds += ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / 100
            }
        }
        return seconds
    }
}
