// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension PostgresConfiguration {
    /// How a connection is secured, in libpq's terms.
    public struct TLS: Hashable, Sendable {
        /// libpq's `sslmode`.
        public var mode: Mode
        /// The file of the certificates that vouch for the server; nil for libpq's own place, `~/.postgresql/root.crt`.
        public var rootCertificate: String?
        /// The file of the certificate that we show to the server.
        public var certificate: String?
        /// The file of its key.
        public var key: String?
        /// Whether the password exchange must be bound to the connection, which only a server with TLS can do.
        public var requiresChannelBinding: Bool

        /// Makes settings.
        public init(
            mode: Mode,
            rootCertificate: String? = nil,
            certificate: String? = nil,
            key: String? = nil,
            requiresChannelBinding: Bool = false
        ) {
            self.mode = mode
            self.rootCertificate = rootCertificate
            self.certificate = certificate
            self.key = key
            self.requiresChannelBinding = requiresChannelBinding
        }

        /// The server proves who it is: its certificate is vouched for and bears its host's name.
        public static func verifyFull(rootCertificate: String) -> TLS {
            TLS(mode: .verifyFull, rootCertificate: rootCertificate)
        }

        /// Nothing is encrypted: for Unix sockets, and for tests.
        public static let disabled = TLS(mode: .disable)

        /// libpq's `sslmode`.
        public struct Mode: Hashable, Sendable {
            let name: String

            /// Nothing is encrypted.
            public static let disable = Mode(name: "disable")
            /// Encrypted if the server can; whoever sits between can prevent it.
            public static let prefer = Mode(name: "prefer")
            /// Encrypted, and nobody knows with whom.
            public static let require = Mode(name: "require")
            /// The server's certificate is vouched for.
            public static let verifyCA = Mode(name: "verify-ca")
            /// The server's certificate is vouched for and bears its host's name.
            public static let verifyFull = Mode(name: "verify-full")
        }
    }
}
