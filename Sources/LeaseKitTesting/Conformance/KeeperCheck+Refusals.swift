// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

extension KeeperCheck {
    mutating func staleStageIsRefused() async throws {
        try await expect(.versionChanged, on: "a", "a stage over a version that never was") {
            check throws(SecretKeeperError) in
            _ = try await check.stage("a", "first", over: 1)
        }
        let first = try await committed("a", "first")
        let second = try await committed("a", "second", over: first)
        for stale in [nil, first, second + 1] {
            try await expect(.versionChanged, on: "a", "a stage over \(stale.map { "\($0)" } ?? "nothing")") {
                check throws(SecretKeeperError) in
                _ = try await check.stage("a", "third", over: stale)
            }
        }
    }

    mutating func secondStageIsRefused() async throws {
        let first = try await committed("a", "first")
        _ = try await stage("a", "second", over: first)
        try await expect(.alreadyStaged, on: "a", "a second stage") { check throws(SecretKeeperError) in
            _ = try await check.stage("a", "third", over: first)
        }
        try await expect(.versionChanged, on: "a", "a second stage over an old version") {
            check throws(SecretKeeperError) in
            _ = try await check.stage("a", "second", over: nil)
        }
    }

    mutating func otherCommitIsRefused() async throws {
        let first = try await committed("a", "first")
        let discarded = try await stage("a", "second", over: first)
        try await keeper.discard("a", version: discarded)
        try await expect(.versionChanged, on: "a", "a commit of a discarded version") {
            check throws(SecretKeeperError) in
            try await check.keeper.commit("a", version: discarded)
        }
        let second = try await committed("a", "second", over: first)
        let third = try await stage("a", "third", over: second)
        for other in [first, discarded, third + 1] {
            try await expect(.versionChanged, on: "a", "a commit of version \(other), with \(third) staged") {
                check throws(SecretKeeperError) in
                try await check.keeper.commit("a", version: other)
            }
        }
        try await expect(.versionChanged, on: "b", "a commit of nothing") { check throws(SecretKeeperError) in
            try await check.keeper.commit("b", version: third)
        }
    }

    mutating func otherDiscardIsRefused() async throws {
        let first = try await committed("a", "first")
        try await expect(.versionChanged, on: "a", "a discard of the committed version") {
            check throws(SecretKeeperError) in
            try await check.keeper.discard("a", version: first)
        }
        try await expect(.versionChanged, on: "a", "a discard of a version never given") {
            check throws(SecretKeeperError) in
            try await check.keeper.discard("a", version: first + 100)
        }
    }

    mutating func otherRemoveIsRefused() async throws {
        let first = try await committed("a", "first")
        let second = try await committed("a", "second", over: first)
        try await expect(.versionChanged, on: "a", "a removal of an old version") { check throws(SecretKeeperError) in
            try await check.keeper.remove("a", version: first)
        }
        _ = try await stage("a", "third", over: second)
        try await expect(.alreadyStaged, on: "a", "a removal beside a stage") { check throws(SecretKeeperError) in
            try await check.keeper.remove("a", version: second)
        }
    }

    mutating func namesAreChecked() async throws {
        let longest = String(repeating: "n", count: SecretKeeperLimits.maximumNameLength)
        let version = try await committed(longest, "first")
        try await expect(longest, committed: ("first", version))
        for name in ["", longest + "n", "a b", "a\n", "a\0", "é", "a\u{7F}"] {
            let calls: [(String, (Self) async throws(SecretKeeperError) -> Void)] = [
                ("load", { check throws(SecretKeeperError) in _ = try await check.keeper.load(name) }),
                ("stage", { check throws(SecretKeeperError) in _ = try await check.stage(name, "first") }),
                ("commit", { check throws(SecretKeeperError) in try await check.keeper.commit(name, version: 1) }),
                ("discard", { check throws(SecretKeeperError) in try await check.keeper.discard(name, version: 1) }),
                ("remove", { check throws(SecretKeeperError) in try await check.keeper.remove(name, version: 1) }),
            ]
            for (what, call) in calls {
                try await expect(.invalidName, on: "a", "\(what) of a name with \(name.utf8.count) bytes", call)
            }
        }
    }

    mutating func secretsAreChecked() async throws {
        let longest = String(repeating: "s", count: SecretKeeperLimits.maximumSecretLength)
        for secret in ["", longest + "s"] {
            try await expect(.invalidSecret, on: "a", "a secret of \(secret.utf8.count) bytes") {
                check throws(SecretKeeperError) in
                _ = try await check.stage("a", secret)
            }
        }
        let version = try await committed("a", longest)
        try await expect("a", committed: (longest, version))
    }

    mutating func errorsHoldNoSecret() async throws {
        let first = try await committed("a", "old-secret-7041")
        _ = try await stage("a", "new-secret-7041", over: first)
        for version in [nil, first] {
            do {
                _ = try await stage("a", "odd-secret-7041", over: version)
                note("a second stage was not refused")
            } catch {
                let texts = ["\(error)", error.debugDescription, error.message, String(reflecting: error)]
                expect(!texts.contains { $0.contains("7041") }, "an error shows a secret")
            }
        }
        let kept = try await keeper.load("a")
        expect(!"\(kept) \(String(reflecting: kept))".contains("7041"), "what is kept prints its secrets")
    }
}
