// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import Foundation
import LeaseKit

@testable import LeaseKitAWS

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An emulator of AWS in a process of its own, with an administrator, which checks every signature.
final class Moto: Sendable {
    let address: String
    let administrator: AWSCredentials
    private let process: Process
    private let input: Pipe

    static let account = "123456789012"
    static let everything =
        #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#

    /// Starts one, runs `body` with it and stops it.
    static func run(_ body: (Moto) async throws -> Void) async throws {
        let process = Process()
        process.executableURL = try Python.executable("python3")
        process.arguments = [Python.script("moto_service.py")]
        var environment = ProcessInfo.processInfo.environment
        environment["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        environment["AWS_ACCESS_KEY_ID"] = nil
        process.environment = environment
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let ended = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in ended.continuation.finish() }
        try process.run()
        let result: Result<Void, any Error>
        do {
            let line = await firstLine(of: output.fileHandleForReading)
            guard let port = UInt16(line) else { throw Python.Trouble(description: "moto did not start: \(line)") }
            let moto = try await Moto("http://127.0.0.1:\(port)", process, input)
            result = .success(try await body(moto))
        } catch {
            result = .failure(error)
        }
        // It ends when its input does, unless another child that was started meanwhile inherited the other end of that. Of
        // signals only this one reaches it: threads of Swift block the others, and so do their children.
        try? input.fileHandleForWriting.close()
        kill(process.processIdentifier, SIGKILL)
        for await _ in ended.stream {}
        try result.get()
    }

    private static func firstLine(of handle: FileHandle) async -> String {
        let descriptor = handle.fileDescriptor
        return await withCheckedContinuation { continuation in
            // Reading blocks; a thread of its own may.
            Thread.detachNewThread {
                var line: [UInt8] = []
                var byte: UInt8 = 0
                while read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
                continuation.resume(returning: String(decoding: line, as: UTF8.self))
            }
        }
    }

    private init(_ address: String, _ process: Process, _ input: Pipe) async throws {
        self.address = address
        self.process = process
        self.input = input
        // Before signatures are checked, anybody may make the administrator.
        let anybody = AWSCredentials(accessKeyID: "AKIAANYBODY", secretAccessKey: SecretText("x"))
        let access = try AWSAccess(
            credentials: StaticAWSCredentials(anybody),
            region: "us-east-1",
            endpoints: .all(at: address)
        )
        let iam = IAMCalls(client: access.iam, deadline: SystemTime().read().continuous + .seconds(300))
        _ = try await iam.createUser("administrator", path: "/", boundary: nil, tags: [])
        try await iam.run(IAMCalls.putUserPolicy("administrator", "everything", Self.everything))
        administrator = try await iam.createAccessKey("administrator")
        let check = AWSHTTPRequest(
            method: "POST",
            scheme: "http",
            host: access.iam.endpoint.host,
            path: "/moto-api/reset-auth",
            headers: [("Content-Type", "text/plain")],
            body: Array("0".utf8)
        )
        let response = try await URLSessionTransport().send(check, timeout: .seconds(10))
        guard response.status == 200 else {
            throw Python.Trouble(description: "moto checks no signatures: \(response)")
        }
    }

    func access(
        as credentials: AWSCredentials? = nil,
        transport: any AWSTransport = URLSessionTransport()
    ) throws -> AWSAccess {
        try AWSAccess(
            credentials: StaticAWSCredentials(credentials ?? administrator),
            region: "us-east-1",
            endpoints: .all(at: address),
            transport: transport,
            retry: AWSRetryPolicy(attemptTimeout: .seconds(100))
        )
    }

    var iam: IAMCalls {
        get throws { IAMCalls(client: try access().iam, deadline: SystemTime().read().continuous + .seconds(300)) }
    }

    /// Makes a role that anybody may assume.
    func makeRole(_ name: String, may policy: String, _ iam: IAMCalls) async throws {
        let trust =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#
        let role = [("RoleName", name)]
        try await iam.run(.init("CreateRole", role + [("AssumeRolePolicyDocument", trust)]))
        try await iam.run(.init("PutRolePolicy", role + [("PolicyName", "own"), ("PolicyDocument", policy)]))
    }

    /// Whether somebody is let in, whatever they may do then; what is said about them otherwise.
    func refusal(of credentials: AWSCredentials) async throws -> AWSError.Code? {
        do {
            _ = try await AWSIdentity.own(
                access(as: credentials).sts,
                until: SystemTime().read().continuous + .seconds(300)
            )
            return nil
        } catch let error as AWSError where error.code == .accessDenied {
            // Known, and denied everything: the emulator does not read the time in a condition.
            return nil
        } catch let error as AWSError {
            return error.code
        }
    }

    /// The status of a request to S3.
    func s3(_ method: String, _ path: String, as credentials: AWSCredentials) async throws -> Int {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        var request = AWSHTTPRequest(
            method: method,
            scheme: "http",
            host: try access().iam.endpoint.host,
            path: path,
            headers: [("x-amz-content-sha256", empty)]
        )
        try AWSSigner(service: "s3", region: "us-east-1").sign(
            &request,
            with: credentials,
            at: SystemTime().read().wall
        )
        return try await URLSessionTransport().send(request, timeout: .seconds(10)).status
    }
}
