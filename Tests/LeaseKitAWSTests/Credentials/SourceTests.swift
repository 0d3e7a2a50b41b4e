// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import LeaseKitAWS
import Testing

/// Each source of credentials against a fake of where they come from, on the loopback.
@Suite(.timeLimit(.minutes(5))) struct SourceTests {
    private static let later = SystemTime().read().wall + .seconds(3_600)

    private static func settings(_ environment: [String: String], sts: LoopbackServer? = nil) -> AWSSourceSettings {
        AWSSourceSettings(
            environment: environment,
            region: "eu-west-1",
            endpoints: AWSEndpoints(sts: sts?.address),
            retry: AWSRetryPolicy(base: .milliseconds(1), attemptTimeout: .seconds(100)),
            // Long, since tests share the machine: nothing here waits for its end.
            timeout: .seconds(200),
            metadataTimeout: .seconds(100)
        )
    }

    /// Text to the second, as services write it.
    private static func text(_ instant: LeaseInstant) -> String {
        LeaseInstant(secondsSinceEpoch: instant.nanosecondsSinceEpoch / 1_000_000_000).description
    }

    private static func answer(to request: AWSHTTPRequest) -> AWSHTTPResponse {
        let (action, form) = (request.action, request.form)
        return .xml(
            200,
            "<\(action)Response><\(action)Result><Credentials><AccessKeyId>ASIA-\(form["RoleSessionName"] ?? "")</AccessKeyId>"
                + "<SecretAccessKey>s3</SecretAccessKey><SessionToken>t3</SessionToken>"
                + "<Expiration>\(text(later))</Expiration></Credentials><AssumedRoleUser>"
                + "<Arn>\(form["RoleArn"] ?? "")</Arn></AssumedRoleUser></\(action)Result></\(action)Response>"
        )
    }

    private func code(_ source: AWSCredentialsSource) async -> AWSError.Code? {
        do {
            _ = try await source.credentials()
            return nil
        } catch { return error.code }
    }

    @Test func readsTheEnvironment() async throws {
        let found = try await AWSCredentialsSource.environment(
            Self.settings(["AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s1", "AWS_SESSION_TOKEN": "t1"])
        ).credentials()
        #expect(
            found
                == AWSCredentials(
                    accessKeyID: "AKIA1",
                    secretAccessKey: SecretText("s1"),
                    sessionToken: SecretText("t1")
                )
        )
        #expect(found.origin == .unknown)
        #expect(await code(.environment(Self.settings([:]))) == .noCredentials)
        #expect(await code(.environment(Self.settings(["AWS_ACCESS_KEY_ID": "AKIA1"]))) == .badCredentials)
        #expect(
            await code(.environment(Self.settings(["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""])))
                == .noCredentials
        )
    }

    @Test func exchangesAWebIdentity() async throws {
        let server = try LoopbackServer { .answer(Self.answer(to: $0)) }
        defer { server.stop() }
        let scratch = try Scratch()
        let file = try scratch.write("eyJhbGciOi\n", to: "token")
        let environment = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::1:role/web",
            "AWS_ROLE_SESSION_NAME": "pod",
        ]
        let found = try await AWSCredentialsSource.webIdentity(Self.settings(environment, sts: server)).credentials()
        #expect(
            found.accessKeyID == "ASIA-pod" && found.origin == .role && found.principal == "arn:aws:iam::1:role/web"
        )
        let end = try #require(found.expiresAt)
        #expect(end <= Self.later && end > Self.later - .seconds(5))
        let request = try #require(server.received.first?.request)
        #expect(request.action == "AssumeRoleWithWebIdentity" && request.form["WebIdentityToken"] == "eyJhbGciOi")
        // Whoever has no credentials yet cannot sign.
        #expect(request.header("Authorization") == nil)
        #expect(await code(.webIdentity(Self.settings([:]))) == .noCredentials)
        #expect(await code(.webIdentity(Self.settings(["AWS_WEB_IDENTITY_TOKEN_FILE": file]))) == .badCredentials)
        let missing = ["AWS_WEB_IDENTITY_TOKEN_FILE": file + "x", "AWS_ROLE_ARN": "a"]
        #expect(await code(.webIdentity(Self.settings(missing))) == .badCredentials)
    }

    @Test func readsProfiles() async throws {
        let scratch = try Scratch()
        let config = try scratch.write(
            """
            # a comment
            [default]
            region = eu-west-3
            [profile plain]
            aws_access_key_id = AKIACONFIG
            aws_secret_access_key = s/with=signs#and;more # but not this
            s3 =
                max_concurrent_requests = 20
            [profile "two words"]
            aws_access_key_id=AKIA2
            aws_secret_access_key=s2
            aws_session_token=t2
            [profile half]
            aws_access_key_id = AKIA
            [profile sso]
            sso_session = x
            [ignored]
            aws_access_key_id = AKIA
            """,
            to: "config"
        )
        let credentials = try scratch.write(
            "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s0\n[plain]\naws_access_key_id = AKIAWINS\n",
            to: "credentials"
        )
        let files = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials]
        let settings = Self.settings(files)
        #expect(try await AWSCredentialsSource.profile(nil, settings).credentials().accessKeyID == "AKIADEFAULT")
        let plain = try await AWSCredentialsSource.profile("plain", settings).credentials()
        #expect(plain.accessKeyID == "AKIAWINS")
        #expect(plain.secretAccessKey == SecretText("s/with=signs#and;more"))
        let words = try await AWSCredentialsSource.profile("two words", settings).credentials()
        #expect(words.sessionToken == SecretText("t2"))
        for (name, expected) in [
            ("half", .badCredentials), ("sso", .badCredentials), ("ignored", .badCredentials),
            ("none", .badCredentials),
        ] as [(String, AWSError.Code)] {
            #expect(await code(.profile(name, settings)) == expected, "\(name)")
        }
        var named = files
        named["AWS_PROFILE"] = "two words"
        #expect(try await AWSCredentialsSource.profile(nil, Self.settings(named)).credentials().accessKeyID == "AKIA2")
        // Files that are not there are no trouble as long as nobody named a profile.
        #expect(await code(.profile(nil, Self.settings(["HOME": scratch.path("nowhere")]))) == .noCredentials)
    }

    /// Some tools write a token with nothing in it beside a user's key.
    @Test func anEmptyTokenIsNone() async throws {
        let scratch = try Scratch()
        let file = try scratch.write(
            "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\naws_session_token =\n",
            to: "credentials"
        )
        let settings = Self.settings(["AWS_CONFIG_FILE": scratch.path("none"), "AWS_SHARED_CREDENTIALS_FILE": file])
        let found = try await AWSCredentialsSource.profile(nil, settings).credentials()
        #expect(found.sessionToken == nil && found.origin == .user)
    }

    /// As the documentation of ``AWSSourceSettings/region`` has it, and other SDKs.
    @Test func theEnvironmentsRegionGoesBeforeTheProfiles() async throws {
        let scratch = try Scratch()
        let config = try scratch.write(
            """
            [profile base]
            aws_access_key_id = AKIABASE
            aws_secret_access_key = s
            [profile top]
            role_arn = arn:aws:iam::1:role/top
            source_profile = base
            region = eu-west-3
            """,
            to: "config"
        )
        for (region, host) in [(nil, "sts.eu-west-3.amazonaws.com"), ("eu-north-1", "sts.eu-north-1.amazonaws.com")] {
            var environment = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": scratch.path("none")]
            environment["AWS_REGION"] = region
            let transport = ScriptedTransport { request, _ in Self.answer(to: request) }
            let settings = AWSSourceSettings(environment: environment, transport: transport)
            _ = try await AWSCredentialsSource.profile("top", settings).credentials()
            #expect(transport.requests.map(\.host) == [host])
        }
    }

    @Test func assumesTheRoleOfAProfile() async throws {
        let server = try LoopbackServer { .answer(Self.answer(to: $0)) }
        defer { server.stop() }
        let scratch = try Scratch()
        let config = try scratch.write(
            """
            [profile base]
            aws_access_key_id = AKIABASE
            aws_secret_access_key = s
            [profile middle]
            role_arn = arn:aws:iam::1:role/middle
            source_profile = base
            [profile top]
            role_arn = arn:aws:iam::1:role/top
            source_profile = middle
            role_session_name = topmost
            external_id = x-1
            duration_seconds = 1800
            [profile self]
            aws_access_key_id = AKIASELF
            aws_secret_access_key = s
            role_arn = arn:aws:iam::1:role/self
            source_profile = self
            [profile env]
            role_arn = arn:aws:iam::1:role/env
            credential_source = Environment
            [profile circle1]
            role_arn = a
            source_profile = circle2
            [profile circle2]
            role_arn = b
            source_profile = circle1
            [profile nobody]
            role_arn = c
            [profile lost]
            role_arn = d
            source_profile = gone
            [profile mfa]
            role_arn = e
            source_profile = base
            mfa_serial = arn:aws:iam::1:mfa/x
            """,
            to: "config"
        )
        let settings = Self.settings(
            [
                "AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": scratch.path("none"),
                "AWS_ACCESS_KEY_ID": "AKIAENV",
                "AWS_SECRET_ACCESS_KEY": "s",
            ],
            sts: server
        )
        let top = try await AWSCredentialsSource.profile("top", settings).credentials()
        #expect(top.accessKeyID == "ASIA-topmost" && top.origin == .role)
        let requests = server.received.map(\.request)
        #expect(requests.map { $0.form["RoleArn"] } == ["arn:aws:iam::1:role/middle", "arn:aws:iam::1:role/top"])
        #expect(requests[0].header("Authorization")?.contains("AKIABASE/") == true)
        #expect(requests[1].header("Authorization")?.contains("ASIA-leasekit/") == true)
        #expect(requests[1].header("X-Amz-Security-Token") == "t3")
        #expect(requests[1].form["ExternalId"] == "x-1" && requests[1].form["DurationSeconds"] == "1800")
        for (name, id) in [("self", "AKIASELF"), ("env", "AKIAENV")] {
            _ = try await AWSCredentialsSource.profile(name, settings).credentials()
            #expect(server.received.last?.request.header("Authorization")?.contains("\(id)/") == true)
        }
        for name in ["circle1", "nobody", "lost", "mfa"] {
            #expect(await code(.profile(name, settings)) == .badCredentials, "\(name)")
        }
    }

    private static func metadata(_ id: String, until end: String? = nil) -> AWSHTTPResponse {
        let end = end ?? text(later)
        let text =
            #"{"Code":"Success","AccessKeyId":"\#(id)","SecretAccessKey":"s4","Token":"t4","Expiration":"\#(end)"}"#
        return AWSHTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: Array(text.utf8))
    }

    @Test func asksTheContainersAgent() async throws {
        let server = try LoopbackServer { request in
            switch request.path {
            case "/v2/x?a=b" where request.header("Authorization") == "Bearer 1": .answer(Self.metadata("ASIA-C"))
            case "/busy": .answer(AWSHTTPResponse(status: 503))
            case "/junk": .answer(AWSHTTPResponse(status: 200, body: Array("<html>".utf8)))
            case "/offset": .answer(Self.metadata("ASIA-O", until: "2099-01-01T00:00:00+00:00"))
            case "/odd": .answer(Self.metadata("ASIA-X", until: "tomorrow"))
            default: .answer(AWSHTTPResponse(status: 404))
            }
        }
        defer { server.stop() }
        let scratch = try Scratch()
        let file = try scratch.write("Bearer 1\n", to: "token")
        let uri = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        for token in [
            ["AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer 1"], ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file],
        ] {
            let environment = token.merging([uri: "\(server.address)/v2/x?a=b"]) { $1 }
            let found = try await AWSCredentialsSource.container(Self.settings(environment)).credentials()
            #expect(found.accessKeyID == "ASIA-C" && found.sessionToken == SecretText("t4") && found.origin == .role)
        }
        let offset = Self.settings([uri: "\(server.address)/offset"])
        #expect(try await AWSCredentialsSource.container(offset).credentials().expiresAt != nil)
        // An end that cannot be read is not none.
        for path in ["busy", "junk", "none", "odd"] {
            #expect(
                await code(.container(Self.settings([uri: "\(server.address)/\(path)"]))) == .badCredentials,
                "\(path)"
            )
        }
        #expect(server.received.filter { $0.request.path == "/busy" }.count == 3)
        #expect(await code(.container(Self.settings([:]))) == .noCredentials)
        // A token does not go to a stranger in the clear.
        for address in ["http://example.com/x", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/", "nonsense"] {
            #expect(await code(.container(Self.settings([uri: address]))) == .badCredentials, "\(address)")
        }
    }

    @Test func asksTheMachine() async throws {
        let server = try LoopbackServer { request in
            let folder = "/latest/meta-data/iam/security-credentials/"
            switch (request.method, request.path, request.header("X-aws-ec2-metadata-token")) {
            case ("PUT", "/latest/api/token", _) where request.header("X-aws-ec2-metadata-token-ttl-seconds") == "21600":
                return .answer(AWSHTTPResponse(status: 200, body: Array("session".utf8)))
            case ("GET", folder, "session"): return .answer(AWSHTTPResponse(status: 200, body: Array("my-role\n".utf8)))
            case ("GET", folder + "my-role", "session"): return .answer(Self.metadata("ASIA-M"))
            default: return .answer(AWSHTTPResponse(status: 401))
            }
        }
        defer { server.stop() }
        let place = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        let found = try await AWSCredentialsSource.instance(Self.settings([place: server.address])).credentials()
        #expect(found.accessKeyID == "ASIA-M" && found.origin == .role)
        #expect(server.received.map(\.request.method) == ["PUT", "GET", "GET"])
        let disabled = Self.settings([place: server.address, "AWS_EC2_METADATA_DISABLED": "TRUE"])
        #expect(await code(.instance(disabled)) == .noCredentials)
        #expect(await code(.instance(Self.settings([place: "http://127.0.0.1:1"]))) == .noCredentials)
    }

    @Test func theChainKeepsTheOrder() async throws {
        let sts = try LoopbackServer { .answer(Self.answer(to: $0)) }
        let agent = try LoopbackServer { _ in .answer(Self.metadata("ASIA-C")) }
        defer {
            sts.stop()
            agent.stop()
        }
        let scratch = try Scratch()
        let file = try scratch.write("token", to: "token")
        let config = try scratch.write(
            "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n",
            to: "config"
        )
        var environment = [
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": config, "HOME": scratch.path("none"),
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.address, "AWS_WEB_IDENTITY_TOKEN_FILE": file,
            "AWS_ROLE_ARN": "arn", "AWS_ROLE_SESSION_NAME": "web", "AWS_ACCESS_KEY_ID": "AKIAENV",
            "AWS_SECRET_ACCESS_KEY": "s",
        ]
        func found() async throws -> String {
            try await AWSCredentialsSource.chain(Self.settings(environment, sts: sts)).credentials().accessKeyID
        }
        #expect(try await found() == "AKIAENV")
        environment["AWS_SECRET_ACCESS_KEY"] = nil
        // Set up and broken: not passed over.
        #expect(await code(.chain(Self.settings(environment, sts: sts))) == .badCredentials)
        environment["AWS_ACCESS_KEY_ID"] = nil
        #expect(try await found() == "ASIA-web")
        environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = nil
        #expect(try await found() == "AKIAFILE")
        // A profile whose role cannot be assumed for want of a key is set up and broken, too: the container may be somebody else.
        environment["AWS_CONFIG_FILE"] = try scratch.write(
            "[default]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n",
            to: "role"
        )
        #expect(await code(.chain(Self.settings(environment, sts: sts))) == .badCredentials)
        environment["AWS_CONFIG_FILE"] = scratch.path("none")
        #expect(try await found() == "ASIA-C")
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = nil
        #expect(await code(.chain(Self.settings(environment, sts: sts))) == .noCredentials)
    }
}
