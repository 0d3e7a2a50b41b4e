// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitKeeper

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// A process for tests to kill: it works on a keeper and says on its standard output what it is about to do (>) and what
// was acknowledged (<).
//
//   KeeperVictim loop PATH KEY        stages, commits and discards until it is killed
//   KeeperVictim step PATH KEY STEP OPERATION [NEW-KEY]   kills itself at a step of one operation on "a"
//   KeeperVictim full PATH KEY BYTES  may write files of so many bytes, and stages a longer secret
//   KeeperVictim hold PATH KEY        holds the lock until its standard input ends

func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(1, bytes, bytes.count)
}

func key(_ hex: String) throws -> KeeperKey {
    let digits = Array(hex.utf8)
    return try KeeperKey(
        stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    )
}

func open(_ hook: @escaping @Sendable (FileStep) -> Void = { _ in }) async throws -> FileSecretKeeper {
    let arguments = CommandLine.arguments
    return try await FileSecretKeeper.open(at: arguments[2], id: "victim", keys: [key(arguments[3])], hook: hook)
}

func loop() async throws {
    let keeper = try await open()
    while true {
        let kept = try await keeper.load("a")
        if let staged = kept.staged {
            let operation = staged.version % 5 == 0 ? "discard" : "commit"
            say("> \(operation) \(staged.version)")
            if operation == "discard" {
                try await keeper.discard("a", version: staged.version)
            } else {
                try await keeper.commit("a", version: staged.version)
            }
            say("< \(staged.version)")
        } else {
            let secret = "pw-\(UInt64.random(in: .min ... .max))"
            say("> stage \(secret)")
            let version = try await keeper.stage(SecretText(secret), as: "a", replacing: kept.committed?.version)
            say("< \(version)")
        }
    }
}

func step() async throws {
    let arguments = CommandLine.arguments
    let keeper = try await open { step in
        if step.rawValue == arguments[4] { kill(getpid(), SIGKILL) }
    }
    let kept = try await keeper.load("a")
    switch arguments[5] {
    case "stage": _ = try await keeper.stage(SecretText("new"), as: "a", replacing: kept.committed?.version)
    case "commit": try await keeper.commit("a", version: kept.staged?.version ?? 0)
    case "discard": try await keeper.discard("a", version: kept.staged?.version ?? 0)
    default: try await keeper.rekey(to: key(arguments[6]))
    }
}

func full() async throws {
    let limit = rlim_t(CommandLine.arguments[4]) ?? 0
    let keeper = try await open()
    signal(SIGXFSZ, SIG_IGN)
    var limits = rlimit(rlim_cur: limit, rlim_max: limit)
    #if canImport(Glibc)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    #else
        setrlimit(RLIMIT_FSIZE, &limits)
    #endif
    do {
        _ = try await keeper.stage(SecretText(String(repeating: "x", count: Int(limit) + 1)), as: "b", replacing: nil)
        say("written")
    } catch {
        say("\(error.code)")
    }
    // What fits goes on.
    let version = try await keeper.stage(SecretText("small"), as: "c", replacing: nil)
    say("staged \(version)")
}

func hold() async throws {
    let keeper = try await open()
    say("open")
    while readLine() != nil {}
    await keeper.close()
}

do {
    switch CommandLine.arguments[1] {
    case "loop": try await loop()
    case "step": try await step()
    case "full": try await full()
    default: try await hold()
    }
} catch {
    say("! \(error)")
    exit(1)
}
