// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit

/// What a backend sends to a target.
struct TargetRequest: Sendable {
    enum Body: Sendable {
        case make(role: String, password: String, life: Duration?)
        case move(life: Duration?, longest: Duration?)
        case end(isRevocable: Bool)
        case list(deployment: String, after: String?, limit: Int)
        case identify
    }

    let operation: TargetOperation
    var name = ""
    var mark: LeaseMark?
    let body: Body
    var link = ""
    /// The fingerprint that the sender expects.
    var expected: String?
}

/// What a target answers; times are by the target's clock.
enum TargetReply: Sendable {
    case made(TargetPrincipal)
    case moved(LeaseInstant?)
    case ended
    case nothingThere(isProven: Bool)
    case notOurs
    case endsAt(LeaseInstant?)
    case page([TargetPrincipal], next: String?)
    case fingerprint(String)
    case failed(BackendFailure)
}

/// How the answer to a request comes.
struct TargetTicket: Sendable {
    enum Answer: Sendable {
        case now(TargetReply)
        case after(Duration)
        case onRelease
        case never
    }

    let id: UInt64
    let answer: Answer
    /// The target's clock when the request arrived.
    let arrivedAt: LeaseInstant
    /// How far silence reaches.
    var scope: BackendFailure.Scope = .lease
}
