// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(CryptoKit)
    import CryptoKit
    import Foundation

    extension Cipher {
        /// The ciphertext, followed by the tag.
        static func seal(
            _ message: WipedBytes,
            key: WipedBytes,
            nonce: [UInt8],
            header: [UInt8]
        ) throws(CipherFailure) -> [UInt8] {
            do {
                let box = try message.withBytes { message in
                    try AES.GCM.seal(
                        message,
                        using: symmetric(key),
                        nonce: AES.GCM.Nonce(data: nonce),
                        authenticating: header
                    )
                }
                return Array(box.ciphertext) + Array(box.tag)
            } catch {
                throw CipherFailure()
            }
        }

        /// The message; nil when header, ciphertext, tag or key are not those of the sealing.
        static func open(
            _ sealed: ArraySlice<UInt8>,
            key: WipedBytes,
            nonce: [UInt8],
            header: [UInt8]
        ) throws(CipherFailure) -> WipedBytes? {
            guard sealed.count >= tagLength else { return nil }
            let box: AES.GCM.SealedBox
            do {
                box = try AES.GCM.SealedBox(
                    nonce: AES.GCM.Nonce(data: nonce),
                    ciphertext: sealed.dropLast(tagLength),
                    tag: sealed.suffix(tagLength)
                )
            } catch {
                throw CipherFailure()
            }
            guard var message = try? AES.GCM.open(box, using: symmetric(key), authenticating: header) else {
                return nil
            }
            defer { message.resetBytes(in: message.startIndex..<message.endIndex) }
            return WipedBytes(count: message.count) { memory in _ = message.copyBytes(to: memory) }
        }

        /// HMAC-SHA-256.
        static func authenticate(_ message: [UInt8], key: WipedBytes) throws(CipherFailure) -> WipedBytes {
            let code = HMAC<SHA256>.authenticationCode(for: message, using: symmetric(key))
            return WipedBytes(count: SHA256.byteCount) { memory in code.withUnsafeBytes { memory.copyMemory(from: $0) }
            }
        }

        private static func symmetric(_ key: WipedBytes) -> SymmetricKey {
            key.withBytes { SymmetricKey(data: $0) }
        }
    }
#endif
