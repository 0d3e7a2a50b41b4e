// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The code that the documentation shows: marked regions of files that are compiled with the tests.
///
/// A region lies between `// sample: name` and `// end sample`. Regions of one name are one sample, in their order, with
/// an empty line between: so an import at the top of a file and the body of a function can make up one script.
struct Samples {
    private(set) var texts: [String: String] = [:]

    /// Reads the samples of a compiled file; answers false when a region is not closed.
    mutating func read(_ source: String) -> Bool {
        var name: String?
        var lines: [String] = []
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            let content = line.drop { $0 == " " }
            if content.hasPrefix("// sample: ") {
                guard name == nil else { return false }
                name = String(content.dropFirst("// sample: ".count))
                lines = []
            } else if content == "// end sample" {
                guard let ended = name else { return false }
                let text = CodeBlock.dedented(lines)
                texts[ended] = texts[ended].map { "\($0)\n\n\(text)" } ?? text
                name = nil
            } else {
                lines.append(String(line))
            }
        }
        return name == nil
    }

    /// The name of the sample that is shown by a block, if there is one.
    func name(of block: CodeBlock) -> String? {
        texts.first { $0.value == block.text }?.key
    }
}
