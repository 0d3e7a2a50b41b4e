// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension PostgresConfiguration {
    /// A server's address.
    public struct Host: Hashable, Sendable, CustomStringConvertible {
        /// A name, a number, or the folder of a Unix socket, which begins with a slash.
        public var name: String
        /// The port, also part of a Unix socket's name.
        public var port: Int

        /// Makes an address.
        public init(_ name: String, port: Int = 5_432) {
            self.name = name
            self.port = port
        }

        /// Whether it is the folder of a Unix socket.
        var isSocket: Bool { name.hasPrefix("/") }

        /// Name and port.
        public var description: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
    }
}
