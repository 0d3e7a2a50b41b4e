// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The files of the repository that the documentation is made of.
enum Repository {
    struct File {
        let url: URL
        let name: String

        func text() throws -> String { try String(contentsOf: url, encoding: .utf8) }
    }

    /// Found from this file: Tests/LeaseKitTests/Documentation/Repository.swift.
    private static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
        url.deletingLastPathComponent()
    }

    static func file(_ name: String) throws -> File {
        File(url: root.appendingPathComponent(name), name: name)
    }

    /// The README and every page of the catalogs.
    static func pages() throws -> [File] {
        let catalogs = try files(below: "Sources", ending: ".md").filter { $0.name.contains(".docc/") }
        let others = try files(below: "", ending: ".md", isDeep: false)
        #expect(catalogs.count > 5 && others.contains { $0.name == "README.md" })
        return others + catalogs
    }

    /// The sources, whose comments are the reference: of every module, or of one.
    static func sources(of module: String = "") throws -> [File] {
        let found = try files(below: module.isEmpty ? "Sources" : "Sources/\(module)", ending: ".swift")
        #expect(found.count > 20)
        return found
    }

    static func samples() throws -> Samples {
        var samples = Samples()
        for file in try files(below: "Tests/LeaseKitTests/Documentation/Samples", ending: ".swift") {
            let isClosed = samples.read(try file.text())
            #expect(isClosed, "\(file.name): a region is not closed")
        }
        return samples
    }

    private static func files(below folder: String, ending suffix: String, isDeep: Bool = true) throws -> [File] {
        let top = folder.isEmpty ? root : root.appendingPathComponent(folder)
        let names =
            isDeep
            ? try FileManager.default.subpathsOfDirectory(atPath: top.path)
            : try FileManager.default.contentsOfDirectory(atPath: top.path)
        return names.filter { $0.hasSuffix(suffix) }.sorted().map { name in
            File(url: top.appendingPathComponent(name), name: folder.isEmpty ? name : "\(folder)/\(name)")
        }
    }
}
