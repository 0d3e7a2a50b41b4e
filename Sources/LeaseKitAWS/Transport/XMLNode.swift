// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// An element of an answer.
struct XMLNode: Sendable {
    let name: String
    var text = ""
    var children: [XMLNode] = []

    /// Reads a document; nil for what is none.
    init?(document: [UInt8]) {
        guard let root = XMLReading.read(document) else { return nil }
        self = root
    }

    init(name: String) { self.name = name }

    /// The first child of that name.
    subscript(_ name: String) -> XMLNode? { children.first { $0.name == name } }

    /// The text of the first child of that name, if it has any.
    func text(_ name: String) -> String? {
        guard let text = self[name]?.text, !text.isEmpty else { return nil }
        return text
    }

    /// The elements of a list; an empty list may be left out.
    func list(_ name: String) -> [XMLNode] { self[name]?.children.filter { $0.name == "member" } ?? [] }

    /// The first element of that name at any depth.
    func first(_ name: String) -> XMLNode? {
        if self.name == name { return self }
        for child in children {
            if let found = child.first(name) { return found }
        }
        return nil
    }
}

/// Builds a tree from what the toolchain's parser reports.
private final class XMLReading: NSObject, XMLParserDelegate {
    private static let deepest = 64
    private var open: [XMLNode] = []
    private var root: XMLNode?

    static func read(_ document: [UInt8]) -> XMLNode? {
        let reading = XMLReading()
        let parser = XMLParser(data: Data(document))
        parser.shouldResolveExternalEntities = false
        parser.delegate = reading
        let isWhole = parser.parse()
        return isWhole && reading.open.isEmpty ? reading.root : nil
    }

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        open.append(XMLNode(name: name))
        if open.count > Self.deepest { parser.abortParsing() }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if !open.isEmpty { open[open.count - 1].text += string }
    }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        if !open.isEmpty { open[open.count - 1].text += String(decoding: block, as: UTF8.self) }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        guard var node = open.popLast() else { return }
        // Between elements there is nothing but layout.
        if !node.children.isEmpty { node.text = "" }
        if open.isEmpty { root = node } else { open[open.count - 1].children.append(node) }
    }
}
