// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A target system in a process of its own: it keeps credentials in its memory, and outlives whoever asks it.
///
/// A request is a line, on a connection of its own:
///
///     make NAME SECRET   → ok, perhaps late; made also when whoever asked is dead by then
///     end NAME           → ended, or gone
///     works NAME SECRET  → yes or no
///     names              → one a line
///     story              → what happened since the last time it was told, one event a line
final class TargetServer {
    private let listener: Int32
    private var credentials: [String: String] = [:]
    private var story: [String] = []
    private var connections: [Connection] = []
    private var random: UInt64

    private struct Connection {
        let file: Int32
        /// What is done, and when; before its line was read, nothing.
        var late: (line: String, due: Int64)?
    }

    init?(path: String, seed: UInt64) {
        random = seed
        listener = socket(AF_UNIX, SocketAddress.stream, 0)
        guard listener >= 0, SocketAddress(path).use({ bind(listener, $0, $1) }) == 0, listen(listener, 128) == 0 else {
            return nil
        }
    }

    /// Serves for ever.
    func run() -> Never {
        // Whoever asked may be dead when the answer comes.
        signal(SIGPIPE, SIG_IGN)
        while true {
            var files = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            // Whoever waits for something late is not listened to meanwhile.
            files += connections.map { pollfd(fd: $0.late == nil ? $0.file : -1, events: Int16(POLLIN), revents: 0) }
            let next = connections.compactMap { $0.late?.due }.min()
            let wait = next.map { Int32(clamping: max(0, ($0 - now() + 999_999) / 1_000_000)) } ?? -1
            guard poll(&files, nfds_t(files.count), wait) >= 0 else { continue }
            for (place, file) in files.dropFirst().enumerated() where file.revents != 0 { read(place) }
            for place in connections.indices {
                if let late = connections[place].late, late.due <= now() { answer(late.line, place) }
            }
            connections.removeAll { $0.file < 0 }
            if files[0].revents != 0 {
                let file = accept(listener, nil, nil)
                if file >= 0 { connections.append(Connection(file: file)) }
            }
        }
    }

    private func read(_ place: Int) {
        guard let line = readLine(connections[place].file) else { return close(place) }
        // A quarter of what is made is made late.
        let isLate = line.hasPrefix("make ") && draw(4) == 0
        connections[place].late = (line, now() + (isLate ? Int64(draw(40)) * 1_000_000 : 0))
    }

    private func answer(_ line: String, _ place: Int) {
        let words = line.split(separator: " ").map(String.init)
        var lines: [String] = []
        switch (words.first, words.count) {
        case ("make", 3):
            credentials[words[1]] = words[2]
            story.append("made \(words[1]) \(words[2])")
            lines = ["ok"]
        case ("end", 2):
            let isThere = credentials.removeValue(forKey: words[1]) != nil
            if isThere { story.append("ended \(words[1]) \(now())") }
            lines = [isThere ? "ended" : "gone"]
        case ("works", 3): lines = [credentials[words[1]] == words[2] ? "yes" : "no"]
        case ("names", 1): lines = Array(credentials.keys)
        case ("story", 1): (lines, story) = (story, [])
        default: lines = ["what?"]
        }
        writeAll(connections[place].file, lines.map { $0 + "\n" }.joined())
        close(place)
    }

    private func close(_ place: Int) {
        _ = shutdown(connections[place].file, Int32(SHUT_RDWR))
        closeFile(connections[place].file)
        connections[place] = Connection(file: -1)
    }

    private func draw(_ bound: UInt64) -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        var mixed = random
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return (mixed ^ (mixed >> 31)) % bound
    }

    private func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

// Inside the type, `close` is its own.
private func closeFile(_ file: Int32) { close(file) }
