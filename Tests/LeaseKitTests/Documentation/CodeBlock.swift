// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A fenced block of code in a page of documentation, or in the comments of a source file.
struct CodeBlock: Hashable {
    /// What stands behind the opening fence, such as `swift`.
    let info: String
    let text: String
    let line: Int

    /// Finds the blocks of a Markdown text.
    static func all(inMarkdown text: String) -> [CodeBlock] {
        var blocks: [CodeBlock] = []
        var open: (info: String, line: Int)?
        var lines: [String] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.drop { $0 == " " }
            if let fence = open {
                if content == "```" {
                    blocks.append(CodeBlock(info: fence.info, text: dedented(lines), line: fence.line))
                    open = nil
                } else {
                    lines.append(String(line))
                }
            } else if content.hasPrefix("```") {
                open = (String(content.dropFirst(3)), number + 1)
                lines = []
            }
        }
        // A fence that nobody closes hides the rest of the page: never equal to a sample.
        if let fence = open { blocks.append(CodeBlock(info: fence.info, text: "unclosed fence", line: fence.line)) }
        return blocks
    }

    /// Finds the blocks in the documentation comments of a source file.
    static func all(inCommentsOf source: String) -> [CodeBlock] {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            let content = line.drop { $0 == " " }
            guard content.hasPrefix("///") else { return "" }
            return String(content.dropFirst(content.hasPrefix("/// ") ? 4 : 3))
        }
        return all(inMarkdown: lines.joined(separator: "\n"))
    }

    /// Takes away the indentation that all lines have in common, and empty lines at either end.
    static func dedented(_ lines: [String]) -> String {
        let isEmpty = { (line: String) in line.allSatisfy { $0 == " " } }
        let margin = lines.filter { !isEmpty($0) }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        let moved = lines.map { isEmpty($0) ? "" : String($0.dropFirst(margin)) }
        let body = moved.drop(while: \.isEmpty).reversed().drop(while: \.isEmpty).reversed()
        return body.joined(separator: "\n")
    }
}
