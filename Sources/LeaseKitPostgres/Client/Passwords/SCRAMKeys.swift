// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(CommonCrypto)
    import CommonCrypto
#else
    import COpenSSL
#endif

/// The two keys of RFC 5802 that a server stores, by the system's library: OpenSSL, on Apple's platforms CommonCrypto.
struct SCRAMKeys {
    /// The hash of what proves the client.
    let stored: [UInt8]
    /// What proves the server.
    let server: [UInt8]

    /// Nil when the library fails.
    init?(_ password: SecretText, salt: [UInt8], iterations: Int) {
        guard let salted = Self.stretch(password, salt, iterations),
            let client = Self.authenticate("Client Key", key: salted),
            let server = Self.authenticate("Server Key", key: salted),
            let stored = Self.hash(client)
        else { return nil }
        self.stored = stored
        self.server = server
    }

    #if canImport(CommonCrypto)
        private static func stretch(_ password: SecretText, _ salt: [UInt8], _ iterations: Int) -> [UInt8]? {
            var key = [UInt8](repeating: 0, count: 32)
            let status = password.withBytes { bytes in
                CCKeyDerivationPBKDF(
                    CCPBKDFAlgorithm(kCCPBKDF2),
                    UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    bytes.count,
                    salt,
                    salt.count,
                    CCPseudoRandomAlgorithm(kCCPRFHmacAlgSHA256),
                    UInt32(iterations),
                    &key,
                    key.count
                )
            }
            return status == Int32(kCCSuccess) ? key : nil
        }

        private static func authenticate(_ text: String, key: [UInt8]) -> [UInt8]? {
            let message = Array(text.utf8)
            var code = [UInt8](repeating: 0, count: 32)
            CCHmac(CCHmacAlgorithm(kCCHmacAlgSHA256), key, key.count, message, message.count, &code)
            return code
        }

        private static func hash(_ message: [UInt8]) -> [UInt8]? {
            var digest = [UInt8](repeating: 0, count: 32)
            return CC_SHA256(message, CC_LONG(message.count), &digest) == nil ? nil : digest
        }
    #else
        private static func stretch(_ password: SecretText, _ salt: [UInt8], _ iterations: Int) -> [UInt8]? {
            var key = [UInt8](repeating: 0, count: 32)
            let status = password.withBytes { bytes in
                PKCS5_PBKDF2_HMAC(
                    UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    Int32(bytes.count),
                    salt,
                    Int32(salt.count),
                    Int32(iterations),
                    EVP_sha256(),
                    Int32(key.count),
                    &key
                )
            }
            return status == 1 ? key : nil
        }

        private static func authenticate(_ text: String, key: [UInt8]) -> [UInt8]? {
            let message = Array(text.utf8)
            var code = [UInt8](repeating: 0, count: 32)
            return HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, nil) == nil ? nil : code
        }

        private static func hash(_ message: [UInt8]) -> [UInt8]? {
            var digest = [UInt8](repeating: 0, count: 32)
            return EVP_Digest(message, message.count, &digest, nil, EVP_sha256(), nil) == 1 ? digest : nil
        }
    #endif
}
