// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitSQLite

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process for the tests to start: to kill it, or to look at the store from outside.
///
///     KillSubject live DATABASE SOCKET [STEP:COUNT]   issues, renews and revokes for as long as it lives
///     KillSubject serve SOCKET SEED                   is the target of those
///     KillSubject hold DATABASE only|fork|release     has it open, perhaps with a forked child, perhaps closes it then
///     KillSubject try DATABASE [UID]                  opens it as another user, and says what it was told
///     KillSubject wander DIRECTORY                    opens it by its name alone, goes elsewhere and writes, twice
///     KillSubject fill DIRECTORY disk|limit           writes until there is no room left, and on when there is, and tells
///     KillSubject measure DATABASE                    says how long the first issue took, and what memory it cost
@main
enum KillSubject {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst().map { $0 }
        switch (arguments.first, arguments.count) {
        case ("live", 3...4):
            try await Living(arguments[1], arguments[2], KillSteps(arguments.count > 3 ? arguments[3] : nil)).live()
        case ("serve", 3):
            guard let server = TargetServer(path: arguments[1], seed: UInt64(arguments[2]) ?? 0) else {
                return say("no socket")
            }
            say("ready")
            server.run()
        case ("hold", 3): try await Looking(arguments[1]).hold(arguments[2])
        case ("try", 2...3): await Looking(arguments[1]).attempt(as: arguments.count > 2 ? uid_t(arguments[2]) : nil)
        case ("wander", 2):
            for _ in 1...2 {
                chdir(arguments[1])
                await Looking("leases.sqlite").attempt(as: nil, from: "/")
            }
        case ("fill", 3): SmallDisk(rawValue: arguments[2])?.start(arguments[1])
        case ("crowd", 3): try await SmallDisk(rawValue: arguments[2]).map { Crowding(arguments[1], $0) }?.run()
        case ("measure", 2): try await Looking(arguments[1]).measure()
        default: say("unknown arguments")
        }
    }
}

/// Says a line in one system call, so that it is said or not.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}
