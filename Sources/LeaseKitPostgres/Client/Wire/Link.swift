// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One connection of the pool, from the first look for an address to its end.
final class Link {
    enum State {
        case lookingUp(until: Duration)
        case connecting(writes: Bool, until: Duration)
        case idle(since: Duration)
        /// A session has it, and says nothing; or has given it back, and the thread was not woken for that.
        case lent(since: Duration)
        case busy(Exchange)
        case ended
    }

    /// What others have to know of.
    enum Event {
        case nothing
        case connected
        case failed(PostgresError)
        case answered(Job, Job.Outcome, isBroken: Bool)
        /// It broke while nobody waited for anything.
        case broke
    }

    /// How long a cancelled statement may take to say so.
    static let patience = Duration.seconds(2)

    let id: UInt64
    let database: String
    /// The newest job that waited when it was opened.
    let openedFor: UInt64
    /// Which of the configuration's hosts it is connected to, or tried last.
    private(set) var host: Int
    private(set) var state: State
    /// Not to be used by another session.
    var isTainted = false

    private let configuration: PostgresConfiguration
    private let look: (_ link: UInt64, _ name: String) -> Bool
    private var hostsLeft: Int
    private var addresses: ArraySlice<String?> = []
    private var address: String?
    /// The passwords that the server refused at this address.
    private var tried: [SecretText?] = []
    private var refusal: PostgresError?
    private var wire: Wire?
    private var startedAt = Duration.zero
    private var hasMoreToSend = false

    /// - Parameter look: Begins to look up a name; false when that cannot be done.
    init(
        id: UInt64,
        database: String,
        openedFor: UInt64,
        firstHost: Int,
        configuration: PostgresConfiguration,
        look: @escaping (_ link: UInt64, _ name: String) -> Bool
    ) {
        self.id = id
        self.database = database
        self.openedFor = openedFor
        self.configuration = configuration
        self.look = look
        host = firstHost
        hostsLeft = configuration.hosts.count
        state = .ended
    }

    // MARK: - Connecting

    var isConnecting: Bool {
        switch state {
        case .lookingUp, .connecting: true
        default: false
        }
    }

    /// Tries the first host.
    func open(_ now: Duration) -> Event { tryHost(now) }

    private func tryHost(_ now: Duration) -> Event {
        let name = configuration.hosts[host].name
        if configuration.hosts[host].isSocket {
            addresses = [nil]
        } else if let found = AddressLookup.immediate(name) {
            addresses = found.map { $0 }[...]
        } else if look(id, name) {
            state = .lookingUp(until: now + configuration.connectTimeout)
            return .nothing
        } else {
            return tryNext(after: .exhausted("thread"), now)
        }
        return tryAddress(now)
    }

    /// The addresses of the host have been looked up.
    func found(_ addresses: [String], _ now: Duration) -> Event {
        guard case .lookingUp = state else { return .nothing }
        self.addresses = addresses.map { $0 }[...]
        if addresses.isEmpty {
            let error = PostgresError(.transient, scope: .target, code: "unknownHost", "the host's name has no address")
            return tryNext(after: error, now)
        }
        return tryAddress(now)
    }

    private func tryAddress(_ now: Duration) -> Event {
        guard let address = addresses.popFirst() else { return tryNext(after: nil, now) }
        self.address = address
        tried = []
        let login = configuration.login()
        return connect(as: login.user, login.password, now)
    }

    /// A password that may be right although another one is not: it may be about to change, or have just been changed.
    private var untriedLogin: (user: String, password: SecretText?)? {
        let login = configuration.login()
        let passwords = login.alternative.map { [login.password, $0] } ?? [login.password]
        guard tried.count < 4, let next = passwords.first(where: { !tried.contains($0) }) else { return nil }
        return (login.user, next)
    }

    private func connect(as user: String, _ password: SecretText?, _ now: Duration) -> Event {
        tried.append(password)
        if [user, database].contains(where: { $0.utf8.contains(0) }) {
            // C would see another name than we do.
            return failed(.misuse("the name of the user or of the database contains a zero byte"), now)
        }
        let host = configuration.hosts[host]
        let parameters = configuration.parameters(host: host, address: address, database: database, user: user)
        wire = Wire.begin(parameters, password: password)
        guard let wire else { return tryNext(after: .exhausted("memory"), now) }
        if wire.isBroken { return failed(wire.refusal, now) }
        state = .connecting(writes: true, until: now + configuration.connectTimeout)
        return .nothing
    }

    private func failed(_ error: PostgresError, _ now: Duration) -> Event {
        if error.sqlState == .invalidPassword, let (user, password) = untriedLogin {
            return connect(as: user, password, now)
        }
        // What a server answered tells more than that another one did not.
        if refusal?.sqlState == nil || error.sqlState != nil { refusal = error }
        wire = nil
        return tryAddress(now)
    }

    private func tryNext(after error: PostgresError?, _ now: Duration) -> Event {
        if let error, refusal?.sqlState == nil { refusal = error }
        hostsLeft -= 1
        guard hostsLeft > 0 else {
            end()
            return .failed(refusal ?? .connectionLost(isAmbiguous: false))
        }
        host = (host + 1) % configuration.hosts.count
        return tryHost(now)
    }

    // MARK: - Use

    /// Gives it to a session, or back.
    func lend(_ now: Duration) { state = .lent(since: now) }
    func rest() {
        if case .lent(let since) = state { state = .idle(since: since) }
    }

    /// Whether another session may have it.
    var isReusable: Bool {
        guard let wire, case .lent = state else { return false }
        return !isTainted && wire.isIdle && !wire.isBroken
    }

    /// Whether it is still there, as far as the socket tells: what was sent to one that is not would be ambiguous.
    var isAlive: Bool {
        guard let wire else { return false }
        return !wire.isBroken && wire.consume() && !wire.isBroken
    }

    /// Begins a job.
    func start(_ job: Job, _ now: Duration) -> Event {
        guard let wire else { return .answered(job, [.failure(.sessionOver)], isBroken: true) }
        if job.statements.contains(where: { $0.hasZeroByte }) {
            return .answered(job, [.failure(.misuse("a statement contains a zero byte"))], isBroken: false)
        }
        if job.style.isTransactional {
            if !wire.isIdle {
                return .answered(
                    job,
                    [.failure(.misuse("the session is inside a transaction already"))],
                    isBroken: false
                )
            }
            if let index = job.statements.firstIndex(where: { $0.movesTransaction }) {
                return .answered(job, [.failure(.endsItself.at(statement: index))], isBroken: false)
            }
        }
        if job.statements.contains(where: { $0.changesSession }) { isTainted = true }
        self.startedAt = now
        let exchange = Exchange(job, on: wire, prepares: configuration.preparesStatements)
        state = .busy(exchange)
        guard exchange.begin() else { return broken(exchange) }
        return flush(wire, exchange)
    }

    private func flush(_ wire: Wire, _ exchange: Exchange) -> Event {
        guard let isSent = wire.flush() else { return broken(exchange) }
        hasMoreToSend = !isSent
        return .nothing
    }

    private func broken(_ exchange: Exchange) -> Event {
        // The server's last words may be there.
        if case .finished(let outcome) = exchange.read() { return answered(exchange, outcome, isBroken: true) }
        return answered(exchange, exchange.lost(.connectionLost), isBroken: true)
    }

    private func answered(_ exchange: Exchange, _ outcome: Job.Outcome, isBroken: Bool) -> Event {
        for case .failure(let error) in outcome where error.scope == .target { isTainted = true }
        // A cancellation that comes late would hit whatever runs next.
        let isOver = isBroken || exchange.givesUpAt != nil
        if isOver { end() } else { state = .lent(since: startedAt) }
        return .answered(exchange.job, outcome, isBroken: isOver)
    }

    /// Asks the server to give up on the statement.
    func cancel(_ now: Duration) {
        guard case .busy(let exchange) = state, exchange.givesUpAt == nil else { return }
        exchange.givesUpAt = now + Self.patience
        wire?.makeCancel()?.send()
    }

    func end() {
        wire = nil
        state = .ended
    }

    // MARK: - Polling

    /// What to poll for; nil for nothing.
    var interest: (descriptor: Int32, events: Int16)? {
        guard let wire, wire.socket >= 0 else { return nil }
        switch state {
        case .connecting(let writes, _): return (wire.socket, Int16(writes ? POLLOUT : POLLIN))
        case .busy: return (wire.socket, Int16(hasMoreToSend ? POLLIN | POLLOUT : POLLIN))
        case .idle, .lent: return (wire.socket, Int16(POLLIN))
        case .lookingUp, .ended: return nil
        }
    }

    /// The socket is ready.
    func ready(_ now: Duration) -> Event {
        guard let wire else { return .nothing }
        switch state {
        case .connecting(_, let deadline):
            switch wire.advance() {
            case .needsReading: state = .connecting(writes: false, until: deadline)
            case .needsWriting: state = .connecting(writes: true, until: deadline)
            case .connected:
                state = .idle(since: now)
                return .connected
            case .failed: return failed(wire.refusal, now)
            }
            return .nothing
        case .busy(let exchange):
            if hasMoreToSend, case .answered(let job, let outcome, let isBroken) = flush(wire, exchange) {
                return .answered(job, outcome, isBroken: isBroken)
            }
            switch exchange.read() {
            case .finished(let outcome): return answered(exchange, outcome, isBroken: wire.isBroken)
            case .broken(let outcome): return answered(exchange, outcome, isBroken: true)
            case .waiting: return flush(wire, exchange)
            }
        case .idle, .lent:
            if isAlive { return .nothing }
            end()
            return .broke
        case .lookingUp, .ended:
            return .nothing
        }
    }

    /// When ``expire(_:)`` wants to be called.
    var deadline: Duration? {
        switch state {
        case .lookingUp(let deadline), .connecting(_, let deadline): deadline
        case .idle(let since), .lent(let since): since + configuration.idleTimeout
        case .busy(let exchange): exchange.givesUpAt ?? exchange.job.deadline
        case .ended: nil
        }
    }

    /// The deadline has come.
    func expire(_ now: Duration) -> Event {
        switch state {
        case .lookingUp:
            return tryNext(after: PostgresError.noConnection(isConnecting: true), now)
        case .connecting:
            return failed(.noConnection(isConnecting: true), now)
        case .idle:
            end()
            return .broke
        case .busy(let exchange):
            if exchange.givesUpAt != nil { return answered(exchange, exchange.lost(.noAnswer), isBroken: true) }
            cancel(now)
            return .nothing
        case .lent:
            // Looked at again later: what was given back is idle by then.
            state = .lent(since: now)
            return .nothing
        case .ended:
            return .nothing
        }
    }
}
