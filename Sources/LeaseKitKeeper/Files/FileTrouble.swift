// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

package import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the system says about a file, in a keeper's words.
package enum FileTrouble {
    /// The error for a call that failed.
    ///
    /// - Parameters:
    ///   - what: What was tried, such as `open /var/lib/app/keeper`.
    ///   - number: What the system answered.
    package static func error(_ what: String, _ number: Int32 = errno) -> SecretKeeperError {
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            SecretKeeperError(
                .diskFull,
                "The disk, or what this process may use of it, is full (to \(what)): make room. What was kept is intact."
            )
        case EACCES, EPERM, EROFS:
            SecretKeeperError(
                .unavailable,
                "This process may not \(what) (\(text(number))): let it read and write there."
            )
        default:
            SecretKeeperError(
                .unavailable,
                "The system cannot \(what) (\(text(number))): see to the disk, then try again."
            )
        }
    }

    private static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
