// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if !canImport(CryptoKit)
    import COpenSSL

    extension SHA256Hash {
        static func digest(_ bytes: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) -> Bool {
            EVP_Digest(bytes.baseAddress, bytes.count, &result, nil, EVP_sha256(), nil) == 1
        }

        static func authenticate(
            _ message: UnsafeBufferPointer<UInt8>,
            key: UnsafeBufferPointer<UInt8>,
            into result: inout [UInt8]
        ) -> Bool {
            let code = HMAC(
                EVP_sha256(),
                key.baseAddress,
                Int32(key.count),
                message.baseAddress,
                message.count,
                &result,
                nil
            )
            return code != nil
        }
    }
#endif
