// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(CryptoKit)
    import CryptoKit
    import Foundation

    extension SHA256Hash {
        static func digest(_ bytes: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) -> Bool {
            result = Array(SHA256.hash(data: UnsafeRawBufferPointer(bytes)))
            return true
        }

        static func authenticate(
            _ message: UnsafeBufferPointer<UInt8>,
            key: UnsafeBufferPointer<UInt8>,
            into result: inout [UInt8]
        ) -> Bool {
            let key = SymmetricKey(data: UnsafeRawBufferPointer(key))
            let code = HMAC<SHA256>.authenticationCode(for: UnsafeRawBufferPointer(message), using: key)
            result = Array(code)
            return true
        }
    }
#endif
