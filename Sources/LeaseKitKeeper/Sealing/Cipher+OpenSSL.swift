// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if !canImport(CryptoKit)
    import COpenSSL

    extension Cipher {
        /// The ciphertext, followed by the tag.
        static func seal(
            _ message: WipedBytes,
            key: WipedBytes,
            nonce: [UInt8],
            header: [UInt8]
        ) throws(CipherFailure) -> [UInt8] {
            let context = try Context()
            var sealed = [UInt8](repeating: 0, count: message.count + tagLength)
            var count: Int32 = 0
            guard key.withBytes({ EVP_EncryptInit_ex(context.pointer, EVP_aes_256_gcm(), nil, $0.bytes, nonce) }) == 1,
                EVP_EncryptUpdate(context.pointer, nil, &count, header, Int32(header.count)) == 1,
                message.withBytes({ EVP_EncryptUpdate(context.pointer, &sealed, &count, $0.bytes, Int32($0.count)) })
                    == 1,
                count == Int32(message.count)
            else { throw CipherFailure() }
            let hasTag = sealed.withUnsafeMutableBytes { sealed in
                let tag = sealed.baseAddress.map { $0 + message.count }
                // GCM has nothing left to write at its end; the tag is fetched apart.
                var rest: Int32 = 0
                return EVP_EncryptFinal_ex(context.pointer, tag?.assumingMemoryBound(to: UInt8.self), &rest) == 1
                    && EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), tag) == 1
            }
            guard hasTag else { throw CipherFailure() }
            return sealed
        }

        /// The message; nil when header, ciphertext, tag or key are not those of the sealing.
        static func open(
            _ sealed: ArraySlice<UInt8>,
            key: WipedBytes,
            nonce: [UInt8],
            header: [UInt8]
        ) throws(CipherFailure) -> WipedBytes? {
            guard sealed.count >= tagLength else { return nil }
            let ciphertext = Array(sealed.dropLast(tagLength))
            var tag = Array(sealed.suffix(tagLength))
            let context = try Context()
            var count: Int32 = 0
            guard key.withBytes({ EVP_DecryptInit_ex(context.pointer, EVP_aes_256_gcm(), nil, $0.bytes, nonce) }) == 1,
                EVP_DecryptUpdate(context.pointer, nil, &count, header, Int32(header.count)) == 1,
                EVP_CIPHER_CTX_ctrl(context.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag) == 1
            else { throw CipherFailure() }
            var isGenuine = false
            // Nobody sees the bytes of a message whose tag is wrong: they are wiped on the way out.
            let message = try WipedBytes(count: ciphertext.count) { memory throws(CipherFailure) in
                guard EVP_DecryptUpdate(context.pointer, memory.bytes, &count, ciphertext, Int32(ciphertext.count)) == 1
                else { throw CipherFailure() }
                var rest = [UInt8](repeating: 0, count: 16)
                isGenuine = EVP_DecryptFinal_ex(context.pointer, &rest, &count) == 1
            }
            return isGenuine ? message : nil
        }

        /// HMAC-SHA-256.
        static func authenticate(_ message: [UInt8], key: WipedBytes) throws(CipherFailure) -> WipedBytes {
            try WipedBytes(count: 32) { memory throws(CipherFailure) in
                let done = key.withBytes { key in
                    HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count, memory.bytes, nil)
                }
                if done == nil { throw CipherFailure() }
            }
        }

        /// A context that is wiped and freed at the end.
        private final class Context {
            let pointer: OpaquePointer

            init() throws(CipherFailure) {
                guard let made = EVP_CIPHER_CTX_new() else { throw CipherFailure() }
                pointer = made
            }

            deinit { EVP_CIPHER_CTX_free(pointer) }
        }
    }

    extension UnsafeRawBufferPointer {
        fileprivate var bytes: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
    }

    extension UnsafeMutableRawBufferPointer {
        fileprivate var bytes: UnsafeMutablePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
    }
#endif
