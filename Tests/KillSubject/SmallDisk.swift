// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A directory in which the system itself runs out of room, for this process alone, until it is given more.
enum SmallDisk: String {
    /// A file system of its own that something else has nearly filled, and which nobody else sees.
    case disk
    /// A limit to the size of files: what is beyond it cannot be written.
    case limit

    /// Makes room scarce, and starts the program anew with what it has to go on with.
    ///
    /// Anew, so that every thread lives in the same place: what a thread sees of the disks is its own. Where the system lets nobody
    /// mount anything, it is the limit that is left.
    func start(_ directory: String) {
        let kind = self == .disk && Self.mountDisk(at: directory) ? SmallDisk.disk : .limit
        if kind == .limit {
            signal(SIGXFSZ, SIG_IGN)
            Self.setLimit(768 << 10)
        }
        let words: [String] = ["KillSubject", "crowd", directory, kind.rawValue]
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        pointers.append(nil)
        execv(CommandLine.arguments[0], &pointers)
        say("could not start anew")
    }

    /// Gives more room.
    func grow(_ directory: String) {
        switch self {
        case .disk: unlink(directory + "/something-else")
        case .limit: Self.setLimit(1 << 40)
        }
    }

    private static func setLimit(_ bytes: Int) {
        #if os(Linux)
            let resource = __rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue))
        #else
            let resource = RLIMIT_FSIZE
        #endif
        var limit = rlimit()
        getrlimit(resource, &limit)
        // The soft limit may be raised again, as far as the hard one.
        limit.rlim_cur = min(rlim_t(bytes), limit.rlim_max)
        setrlimit(resource, &limit)
    }

    #if os(Linux)
        private static func mountDisk(at directory: String) -> Bool {
            // Swift does not show the call: it is the system's own.
            typealias Unshare = @convention(c) (Int32) -> Int32
            guard let symbol = dlsym(nil, "unshare") else { return false }
            let unshare = unsafeBitCast(symbol, to: Unshare.self)
            let (ownMounts, ownUsers): (Int32, Int32) = (0x2_0000, 0x1000_0000)
            let (user, group) = (geteuid(), getegid())
            if user == 0 {
                guard unshare(ownMounts) == 0 else { return false }
            } else {
                // Somebody else needs a world in which to be allowed to; there he is who he is here.
                guard unshare(ownUsers | ownMounts) == 0, tell("setgroups", "deny"),
                    tell("uid_map", "\(user) \(user) 1"), tell("gid_map", "\(group) \(group) 1")
                else { return false }
            }
            guard mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0 else { return false }
            guard mount("tmpfs", directory, "tmpfs", 0, "size=4m") == 0 else { return false }
            let file = open(directory + "/something-else", O_WRONLY | O_CREAT, 0o600)
            defer { close(file) }
            return posix_fallocate(file, 0, 3 << 20) == 0
        }

        private static func tell(_ file: String, _ text: String) -> Bool {
            let descriptor = open("/proc/self/\(file)", O_WRONLY)
            defer { close(descriptor) }
            return write(descriptor, text, text.utf8.count) == text.utf8.count
        }
    #else
        private static func mountDisk(at directory: String) -> Bool { false }
    #endif
}
