// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit
import LeaseKitKeeper
import Testing

/// A folder of a test's own, with a keeper's path and key.
final class Scratch: Sendable {
    let folder: String
    let key = KeeperKey.random()

    init() throws {
        folder = NSTemporaryDirectory() + "/keeper-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var path: String { folder + "/keeper" }
    var hexKey: String { Self.hex(key) }

    static func hex(_ key: KeeperKey) -> String {
        key.withBytes { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }

    func open(
        id: String = "victim",
        keys: [KeeperKey]? = nil,
        hook: @escaping @Sendable (FileStep) throws(SecretKeeperError) -> Void = { _ in }
    ) async throws(SecretKeeperError) -> FileSecretKeeper {
        try await FileSecretKeeper.open(at: path, id: id, keys: keys ?? [key], hook: hook)
    }

    /// Has "a" committed as "old", and "new" staged if asked to, and the file closed.
    func prepare(isStaged: Bool = false) async throws {
        let keeper = try await open()
        let version = try await keeper.stage(SecretText("old"), as: "a", replacing: nil)
        try await keeper.commit("a", version: version)
        if isStaged { _ = try await keeper.stage(SecretText("new"), as: "a", replacing: version) }
        await keeper.close()
    }

    func bytes(_ path: String? = nil) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path ?? self.path)))
    }

    /// Overwrites a file in place, with mode 0600.
    func put(_ bytes: [UInt8], _ path: String? = nil, mode: Int = 0o600) throws {
        let path = path ?? self.path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try setMode(mode, path)
    }

    func remove(_ path: String? = nil) throws { try FileManager.default.removeItem(atPath: path ?? self.path) }

    func setMode(_ mode: Int, _ path: String? = nil) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path ?? self.path)
    }
}

extension KeptSecrets {
    /// The two secrets as texts, for comparisons in tests.
    var texts: [String?] { [committed, staged].map { $0?.secret.withText { $0 } } }
}

/// Expects a call to fail with a code.
func expectCode<Value>(
    _ code: SecretKeeperError.Code,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
) async {
    do {
        _ = try await body()
        Issue.record(comment ?? "no error, not \(code)", sourceLocation: sourceLocation)
    } catch let error as SecretKeeperError {
        #expect(error.code == code, comment, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
