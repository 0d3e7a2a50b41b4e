// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitAWS
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Programs that print credentials.
@Suite(.timeLimit(.minutes(5))) struct ProcessSourceTests {
    private func source(
        _ command: String,
        in scratch: Scratch,
        timeout: Duration = .seconds(100)
    ) throws -> AWSCredentialsSource {
        let config = try scratch.write(
            "[profile p]\ncredential_process = \(command)\n[profile sso]\nsso_session = x\n"
                + "[profile mfa]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = p\nmfa_serial = x\n",
            to: "config"
        )
        let files = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": scratch.path("none")]
        let settings = AWSSourceSettings(
            environment: files.merging(["PATH": "/usr/bin:/bin", "WORD": "from the environment"]) { $1 },
            region: "eu-west-1",
            timeout: timeout
        )
        return .profile("p", settings)
    }

    /// A program that prints something, and what it complains about besides.
    private func program(_ scratch: Scratch, _ script: String) throws -> String {
        let path = try scratch.write("#!/bin/sh\n\(script)\n", to: "a program")
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    private func failure(_ source: AWSCredentialsSource) async -> AWSError? {
        do {
            _ = try await source.credentials()
            return nil
        } catch { return error }
    }

    @Test func readsWhatItPrints() async throws {
        let scratch = try Scratch()
        let path = try program(
            scratch,
            #"echo careful >&2; printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s","SessionToken":"%s","#
                + #""Expiration":"2100-01-01T00:00:00+00:00"}' "$1" "$2" "$WORD""#
        )
        let found = try await source("\"\(path)\" 'two words' a\\ \\$b", in: scratch).credentials()
        #expect(found.accessKeyID == "two words")
        // No shell looks at it: a dollar is a dollar.
        #expect(found.secretAccessKey == SecretText("a $b"))
        #expect(found.sessionToken == SecretText("from the environment"))
        #expect(found.expiresAt == LeaseInstant(secondsSinceEpoch: 4_102_444_800))
    }

    @Test func findsItWhereTheEnvironmentSays() async throws {
        let scratch = try Scratch()
        let found = try await source(
            #"printf '{"Version":1,"AccessKeyId":"AKIA1","SecretAccessKey":"s"}'"#,
            in: scratch
        ).credentials()
        #expect(found.accessKeyID == "AKIA1" && found.sessionToken == nil && found.expiresAt == nil)
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        let word: String
    }

    static let broken = [
        Broken(testDescription: "fails", script: "echo hush >&2; echo hush; exit 3", word: "status 3"),
        Broken(testDescription: "is killed", script: "kill -9 $$", word: "status -9"),
        Broken(testDescription: "says something else", script: "echo hush", word: "no credentials"),
        Broken(
            testDescription: "of another version",
            script: #"echo '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"hush"}'"#,
            word: "version 2"
        ),
        Broken(
            testDescription: "with an odd time",
            script: #"echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"hush","Expiration":"soon"}'"#,
            word: "no time"
        ),
        Broken(testDescription: "never stops talking", script: "yes hush", word: "credential_process"),
    ]

    @Test(arguments: broken) func aBrokenOneIsAnErrorThatRepeatsNothing(_ row: Broken) async throws {
        let scratch = try Scratch()
        let path = try program(scratch, row.script)
        let error = try #require(await failure(try source("'\(path)'", in: scratch)))
        #expect(error.code == .badCredentials && error.message.contains(row.word), "\(error)")
        #expect(!"\(error)".contains("hush"))
    }

    @Test func oneThatHangsIsStopped() async throws {
        let scratch = try Scratch()
        // A child of its own keeps the pipe open.
        let path = try program(scratch, "sleep 600 & echo $! >'\(scratch.path("child"))'; wait")
        let source = try source("'\(path)'", in: scratch, timeout: .milliseconds(1_500))
        let error = try #require(await failure(source))
        #expect(error.code == .badCredentials && error.message.contains("not ended within 1.5 s"), "\(error)")
        let text = try String(contentsOfFile: scratch.path("child"), encoding: .utf8)
        let child = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        kill(child, SIGKILL)
    }

    /// Nothing stays behind that reads what a child of it goes on to write.
    @Test func aStoppedOneIsReadNoMore() async throws {
        let scratch = try Scratch()
        let pipe = scratch.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        // The child notices when nobody reads, and says so.
        let path = try program(
            scratch,
            "(trap '' PIPE; while echo x 2>/dev/null; do sleep 0.05; done; echo gone >'\(pipe)') & exec sleep 600"
        )
        let error = try #require(await failure(try source("'\(path)'", in: scratch, timeout: .milliseconds(500))))
        #expect(error.message.contains("not ended"), "\(error)")
        // Opening waits for whoever writes, so that a thread of its own does it.
        let said = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let file = open(pipe, O_RDONLY)
                defer { close(file) }
                var text = [UInt8](repeating: 0, count: 16)
                let count = read(file, &text, text.count)
                continuation.resume(returning: String(decoding: text.prefix(max(0, count)), as: UTF8.self))
            }
        }
        #expect(said == "gone\n")
    }

    @Test func whatCannotBeStartedSaysSo() async throws {
        let scratch = try Scratch()
        for (command, word) in [
            ("/no/such/program", "is not there"), ("no-such-program-here", "is not there"), ("'open", "quote"),
            ("''", "empty"),
        ] {
            let error = try #require(await failure(try source(command, in: scratch)))
            #expect(error.code == .badCredentials && error.message.contains(word), "\(error)")
        }
    }

    /// What LeaseKit does not do has a way around it, and the error says which.
    @Test func othersAreRefusedWithAFix() async throws {
        let scratch = try Scratch()
        _ = try source("/bin/true", in: scratch)
        let settings = AWSSourceSettings(
            environment: [
                "AWS_CONFIG_FILE": scratch.path("config"), "AWS_SHARED_CREDENTIALS_FILE": scratch.path("none"),
            ],
            region: "eu-west-1"
        )
        let sso = try #require(await failure(.profile("sso", settings)))
        #expect(sso.message.contains("aws configure export-credentials --profile sso"), "\(sso)")
        let mfa = try #require(await failure(.profile("mfa", settings)))
        #expect(mfa.message.contains("credential_process"), "\(mfa)")
    }
}
