// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The last thing that went wrong with a lease, as it is stored: a code and a safe text of our own.
///
/// Of a foreign error only its type's name is kept, since nobody can vouch for its text.
public struct LeaseFailure: Hashable, Sendable, CustomStringConvertible {
    /// A short machine-readable code, such as `transient` or a backend's own (`28P01`).
    public let code: String
    /// A sentence for people that holds no secret.
    public let message: String

    /// Makes a failure note; the message is held to 240 bytes.
    public init(code: String, message: String) {
        self.code = code
        let fits = message.utf8.count <= 240
        self.message = fits ? message : String(decoding: message.utf8.prefix(237), as: UTF8.self) + "…"
    }

    /// The code and the sentence.
    public var description: String { "\(code): \(message)" }
}
