// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// The size that a handle may have in a record.
enum HandleSize {
    static let maximum = 64 * 1024

    static func check(_ handle: [UInt8], of mount: MountRuntime) throws {
        if handle.count <= maximum { return }
        throw LeaseError(
            .handleTooLarge,
            "the handle of backend \(mount.backend.kind) is \(handle.count) bytes; store at most \(maximum), such as a name "
                + "that finds the rest at the target"
        )
    }
}
