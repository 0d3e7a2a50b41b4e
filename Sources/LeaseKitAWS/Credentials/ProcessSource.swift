// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

/// What a program says that a profile names as its `credential_process`.
///
/// The program is started without a shell and may take as long as any other source. What it complains about goes nowhere: it
/// could hold a secret.
struct ProcessSource: AWSCredentialsProvider {
    let command: String
    let profile: String
    let settings: AWSSourceSettings

    func credentials() async throws(AWSError) -> AWSCredentials {
        let program = CredentialProgram()
        let words = try words()
        let file = try executable(words[0])
        do {
            try program.start(file, Array(words.dropFirst()), settings.environment)
        } catch {
            throw broken("cannot be started")
        }
        let limit = settings.time.read().continuous + settings.timeout
        let outcome = await withTaskGroup(of: CredentialProgram.Outcome?.self) { [time = settings.time] group in
            group.addTask { await program.outcome() }
            group.addTask {
                try? await time.sleep(until: limit)
                return nil
            }
            let first = await group.next() ?? nil
            program.stop()
            group.cancelAll()
            return first
        }
        guard let outcome else { throw broken("has not ended within \(settings.timeout / .seconds(1)) s") }
        guard outcome.status == 0 else {
            throw broken("ended with status \(outcome.status); run it by hand to see why")
        }
        return try read(outcome.output)
    }

    private func read(_ output: [UInt8]) throws(AWSError) -> AWSCredentials {
        guard output.count <= CredentialProgram.mostOutput,
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(output))
        else { throw broken("answers with something that holds no credentials") }
        guard answer.version == 1 else { throw broken("answers in version \(answer.version), and only 1 is known") }
        let end = answer.expiration.map { try? Date($0, strategy: .iso8601) }
        if let end, end == nil { throw broken("names an Expiration that is no time") }
        return AWSCredentials(
            accessKeyID: answer.accessKeyID,
            secretAccessKey: SecretText(answer.secretAccessKey),
            sessionToken: answer.sessionToken.map { SecretText($0) },
            expiresAt: (end ?? nil).map { LeaseInstant(secondsSinceEpoch: Int64($0.timeIntervalSince1970)) }
        )
    }

    private struct Answer: Decodable {
        let version: Int
        let accessKeyID: String
        let secretAccessKey: String
        let sessionToken: String?
        let expiration: String?

        private enum CodingKeys: String, CodingKey {
            case version = "Version"
            case accessKeyID = "AccessKeyId"
            case secretAccessKey = "SecretAccessKey"
            case sessionToken = "SessionToken"
            case expiration = "Expiration"
        }
    }

    private func broken(_ what: String) -> AWSError {
        AWSError(.badCredentials, "the credential_process of the profile \"\(profile)\" \(what)")
    }

    /// The file of a program, which is looked for where the environment says.
    private func executable(_ name: String) throws(AWSError) -> URL {
        let places =
            name.contains("/")
            ? [""] : (settings.value("PATH") ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/" }
        for place in places where FileManager.default.isExecutableFile(atPath: place + name) {
            return URL(fileURLWithPath: place + name)
        }
        throw broken("is not there, or is no program")
    }

    /// The words of the command.
    ///
    /// Quotes hold words together, a backslash takes the next letter as it is. Nothing else is special.
    private func words() throws(AWSError) -> [String] {
        var (words, word): ([String], String?) = ([], nil)
        var (quote, isEscaped): (Character?, Bool) = (nil, false)
        for letter in command {
            if isEscaped {
                // Within quotes it is special before a quote and another one only.
                if quote != nil, letter != "\"", letter != "\\" { word?.append("\\") }
                word = (word ?? "") + String(letter)
                isEscaped = false
            } else if letter == "\\", quote != "'" {
                (word, isEscaped) = (word ?? "", true)
            } else if let open = quote {
                if letter == open { quote = nil } else { word?.append(letter) }
            } else if letter == "'" || letter == "\"" {
                (word, quote) = (word ?? "", letter)
            } else if letter.isWhitespace {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + String(letter)
            }
        }
        guard quote == nil, !isEscaped else { throw broken("has a quote that does not end") }
        if let word { words.append(word) }
        guard let first = words.first, !first.isEmpty else { throw broken("is empty") }
        return words
    }
}
