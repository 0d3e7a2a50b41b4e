// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Every block of Swift that a reader sees is compiled: it is, letter for letter, a sample in `Samples/`.
@Suite struct DocumentationTests {
    /// The words that may stand behind an opening fence of a page.
    ///
    /// `swift` is compiled. `swift manifest` is a piece of a manifest, which only a package can show. The others are no Swift.
    private static let known: Set = ["swift", "swift manifest", "text", "sh"]

    @Test func everyBlockOfSwiftIsCompiled() throws {
        let samples = try Repository.samples()
        var count = 0
        for page in try Repository.pages() {
            for block in CodeBlock.all(inMarkdown: try page.text()) {
                #expect(Self.known.contains(block.info), "\(page.name):\(block.line): say what the block is")
                guard block.info == "swift" else { continue }
                count += 1
                #expect(samples.name(of: block) != nil, "\(page.name):\(block.line): no sample has this text")
            }
        }
        for source in try Repository.sources() {
            for block in CodeBlock.all(inCommentsOf: try source.text()) where block.info.hasPrefix("swift") {
                count += 1
                #expect(samples.name(of: block) != nil, "\(source.name):\(block.line): no sample has this text")
            }
        }
        #expect(count > 20)
    }

    @Test func everySampleIsShown() throws {
        let samples = try Repository.samples()
        let pages = try Repository.pages().flatMap { CodeBlock.all(inMarkdown: try $0.text()) }
        let comments = try Repository.sources().flatMap { CodeBlock.all(inCommentsOf: try $0.text()) }
        let shown = Set((pages + comments).compactMap { samples.name(of: $0) })
        #expect(samples.texts.keys.filter { !shown.contains($0) }.sorted() == [])
    }

    @Test func manifestsAreShownInTheReadmeAlone() throws {
        for page in try Repository.pages() where page.name != "README.md" {
            #expect(!CodeBlock.all(inMarkdown: try page.text()).contains { $0.info == "swift manifest" })
        }
    }

    @Test func theReadmeIsShort() throws {
        let readme = try #require(try Repository.pages().first { $0.name == "README.md" })
        #expect(try readme.text().split(separator: "\n", omittingEmptySubsequences: false).count < 200)
    }

    @Test func everyKindOfEventIsExplained() throws {
        let source = try Repository.file("Sources/LeaseKit/Events/LeaseEvent+Kind.swift").text()
        let article = try Repository.file("Sources/LeaseKit/LeaseKit.docc/Observing.md").text()
        let kinds = source.matches(of: /= Kind\("(\w+)"\)/).map { String($0.1) }
        #expect(kinds.count > 20)
        for kind in kinds { #expect(article.contains("| `\(kind)` |"), "Observing.md does not explain \(kind)") }
    }

    @Test func everyCodeOfAnErrorIsExplained() throws {
        let source = try Repository.file("Sources/LeaseKit/Model/LeaseError+Code.swift").text()
        let article = try Repository.file("Sources/LeaseKit/LeaseKit.docc/WhenThingsFail.md").text()
        let codes = source.matches(of: /static let (\w+) = Code\(/).map { String($0.1) }
        #expect(codes.count > 20)
        for code in codes { #expect(article.contains("`\(code)`"), "WhenThingsFail.md does not explain \(code)") }
    }

    @Test(arguments: ["LeaseKit", "LeaseKitTesting"])
    func everyPublicTypeHasItsPlaceOnTheLandingPage(module: String) throws {
        let landing = try Repository.file("Sources/\(module)/\(module).docc/\(module).md").text()
        for source in try Repository.sources(of: module) {
            let declarations = try source.text().matches(
                of: /(?m)^(?:public|open) (?:final )?(?:struct|class|enum|protocol|actor|macro) (\w+)/
            )
            for declaration in declarations {
                #expect(
                    landing.contains("- ``\(declaration.1)``"),
                    "\(source.name): the landing page has no place for \(declaration.1)"
                )
            }
        }
    }
}

/// The reader of pages and samples finds what it is there to find.
@Suite struct DocumentationReaderTests {
    @Test func findsBlocks() {
        let page = "Text\n```swift\nlet a = 1\n```\n- item\n  ```sh\n  ls\n\n    -l\n  ```\n"
        let blocks = CodeBlock.all(inMarkdown: page)
        #expect(blocks.map(\.info) == ["swift", "sh"])
        #expect(blocks.map(\.text) == ["let a = 1", "ls\n\n  -l"])
        #expect(blocks.map(\.line) == [2, 6])
    }

    @Test func findsBlocksInComments() {
        let source =
            "    /// Text\n    ///\n    /// ```swift\n    /// if a {\n    ///     b()\n    /// }\n    /// ```\n"
        #expect(CodeBlock.all(inCommentsOf: source).map(\.text) == ["if a {\n    b()\n}"])
    }

    @Test func anUnclosedFenceIsNoSample() {
        #expect(CodeBlock.all(inMarkdown: "```swift\nlet a = 1\n").map(\.text) == ["unclosed fence"])
    }

    @Test func joinsRegionsAndTellsWhatIsCovered() {
        var samples = Samples()
        let isClosed = samples.read(
            "// sample: x\nimport A\n// end sample\nfunc f() {\n    // sample: x\n    a()\n    // end sample\n}"
        )
        #expect(isClosed)
        #expect(samples.texts == ["x": "import A\n\na()"])
        #expect(samples.name(of: CodeBlock(info: "swift", text: "import A\n\na()", line: 1)) == "x")
        #expect(samples.name(of: CodeBlock(info: "swift", text: "import A\n\nb()", line: 1)) == nil)
    }

    @Test func aRegionMustBeClosed() {
        var samples = Samples()
        let isClosed = samples.read("// sample: x\na()\n")
        #expect(!isClosed)
    }
}
