// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension PostgresConfiguration {
    /// What is wrong with it; nil when nothing is.
    var trouble: String? {
        if hosts.isEmpty { return "it names no host" }
        if maxConnections < 1 { return "it allows no connection" }
        for host in hosts where host.name.isEmpty || !(1...65_535).contains(host.port) {
            return "a host has no name, or a port outside 1...65535"
        }
        if !applicationName.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) || applicationName.utf8.count > 63 {
            return "the application name is longer than 63 bytes, or not printable ASCII"
        }
        let texts =
            hosts.map(\.name) + [database] + settings.flatMap { [$0.key, $0.value] }
            + [tls.rootCertificate, tls.certificate, tls.key].compactMap { $0 }
        if texts.contains(where: { $0.utf8.contains(0) }) { return "a text in it contains a zero byte" }
        for name in settings.keys where !name.utf8.allSatisfy(Self.isInSettingName) || name.isEmpty {
            return "a setting has a name that none has"
        }
        return nil
    }

    private static func isInSettingName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2E: true
        default: false
        }
    }

    /// libpq's parameters for one address of one host, the password left out.
    func parameters(
        host: Host,
        address: String?,
        database: String,
        user: String,
        hasEnvironment: (String) -> Bool = { getenv($0) != nil }
    ) -> [(String, String)] {
        var parameters = [
            ("host", host.name), ("port", String(host.port)), ("dbname", database), ("user", user),
            ("application_name", applicationName), ("client_encoding", "UTF8"), ("sslmode", tls.mode.name),
            ("target_session_attrs", target.name),
            // A ticket is looked for over the network, without a deadline.
            ("gssencmode", "disable"),
            // The server's timeouts for whoever is gone: without these, a vanished network is noticed after hours.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ]
        if let address { parameters.append(("hostaddr", address)) }
        if let file = tls.rootCertificate { parameters.append(("sslrootcert", file)) }
        if let file = tls.certificate { parameters.append(("sslcert", file)) }
        if let file = tls.key { parameters.append(("sslkey", file)) }
        if tls.requiresChannelBinding { parameters.append(("channel_binding", "require")) }
        if settings.isEmpty {
            // Something must be said, or libpq takes what its environment says. Otherwise nothing: older poolers know no options.
            if hasEnvironment("PGOPTIONS") { parameters.append(("options", " ")) }
        } else {
            let options = settings.sorted { $0.key < $1.key }.map { "-c \($0.key)=\(Self.escaped($0.value))" }
            parameters.append(("options", options.joined(separator: " ")))
        }
        return parameters
    }

    /// In the options, blanks and backslashes need a backslash.
    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            if scalar == "\\" || scalar.properties.isWhitespace { escaped.unicodeScalars.append("\\") }
            escaped.unicodeScalars.append(scalar)
        }
        return escaped
    }
}
