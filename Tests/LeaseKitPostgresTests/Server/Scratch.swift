// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Folders for servers, which belong to whoever runs them.
enum Scratch {
    static var isRoot: Bool { getuid() == 0 }

    static func command(_ script: String, _ arguments: [String]) -> [String] {
        ServerScript.command(script, arguments, asRoot: isRoot)
    }

    /// A new folder, with a short name since a socket's path may have no more than 107 bytes.
    static func makeFolder() throws -> String {
        var template = Array("/tmp/lkpg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Shell.Trouble(description: "no folder: \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if isRoot, chown(path, 65_534, 65_534) != 0 { throw Shell.Trouble(description: "no chown: \(errno)") }
        return path
    }

    /// The same binaries at a place where whoever runs the server can see them.
    static func visible(_ binaries: String, in home: String) throws -> String {
        if !isRoot || isVisibleToAll(binaries) { return binaries }
        let installation = (binaries as NSString).deletingLastPathComponent
        let wheel = ((installation as NSString).deletingLastPathComponent as NSString).deletingLastPathComponent
        try FileManager.default.copyItem(atPath: wheel, toPath: home + "/binaries")
        return home + "/binaries" + binaries.dropFirst(wheel.count)
    }

    private static func isVisibleToAll(_ path: String) -> Bool {
        var path = path as NSString
        while path.length > 1 {
            let mode = (try? FileManager.default.attributesOfItem(atPath: path as String))?[.posixPermissions] as? Int
            if (mode ?? 0) & 0o005 != 0o005 { return false }
            path = path.deletingLastPathComponent as NSString
        }
        return true
    }
}
