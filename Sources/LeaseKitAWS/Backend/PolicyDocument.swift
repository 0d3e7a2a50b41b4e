// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A policy as AWS takes it, in its shortest form.
struct PolicyDocument: Hashable, Sendable {
    /// The document without layout, with its keys in order.
    let text: String

    /// Reads a document; `name` says in errors which one it is.
    init(_ source: String, _ name: String) throws(AWSError) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(source.utf8)) as? [String: Any] else {
            throw AWSError(.outOfBounds, "\(name) is no JSON object: correct it")
        }
        if let repeated = RepeatedName.first(in: source) {
            throw AWSError(
                .outOfBounds,
                "\(name) has \"\(repeated)\" twice in one object, of which only one would count: write it once"
            )
        }
        guard object["Statement"] != nil else {
            throw AWSError(.outOfBounds, "\(name) has no Statement: a policy needs one")
        }
        text = try Self.text(of: object, name)
    }

    /// The names of its statements, in their order; nil for one without.
    var statementNames: [String?] {
        let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let statements = object?["Statement"] as? [[String: Any]] ?? []
        return statements.map { $0["Sid"] as? String }
    }

    /// Joins the statements of several documents, in their order.
    init(merging documents: [PolicyDocument]) throws(AWSError) {
        var statements: [Any] = []
        for document in documents {
            let object = try? JSONSerialization.jsonObject(with: Data(document.text.utf8)) as? [String: Any]
            // A single statement needs no list around it.
            if let list = object?["Statement"] as? [Any] {
                statements += list
            } else if let one = object?["Statement"] {
                statements.append(one)
            }
        }
        text = try Self.text(of: ["Version": "2012-10-17", "Statement": statements], "the merged policy")
    }

    /// The characters that count towards limits: IAM leaves out spaces and line breaks.
    var countedLength: Int { text.unicodeScalars.count { !$0.properties.isWhitespace } }

    private static func text(of object: [String: Any], _ name: String) throws(AWSError) -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: options) else {
            throw AWSError(.outOfBounds, "\(name) cannot be written as JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
