// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// A region, such as `eu-central-1`, and with it the partition that it belongs to.
public struct AWSRegion: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The name.
    public let name: String

    /// Makes a region.
    public init(_ name: String) { self.name = name }
    /// Makes a region.
    public init(stringLiteral value: String) { name = value }
    /// The name.
    public var description: String { name }

    /// The partition that it belongs to.
    public var partition: AWSPartition {
        AWSPartition.all.first { partition in partition.prefixes.contains { name.hasPrefix($0) } } ?? .aws
    }

    /// Takes the region from the environment, as other SDKs do: `AWS_REGION`, then `AWS_DEFAULT_REGION`, else `us-east-1`.
    public static func fromEnvironment(_ environment: [String: String]) -> AWSRegion {
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let value = environment[name], !value.isEmpty { return AWSRegion(value) }
        }
        return "us-east-1"
    }
}

/// A part of AWS with accounts, users and domain names of its own.
public struct AWSPartition: Hashable, Sendable, CustomStringConvertible {
    /// The name as it stands in ARNs, such as `aws-cn`.
    public let name: String
    /// The domain that its services are in.
    public let domain: String
    /// The region that signatures to its global services name.
    public let globalRegion: AWSRegion
    let prefixes: [String]

    /// The one for everybody.
    public static let aws = AWSPartition("aws", "amazonaws.com", "us-east-1", [])
    /// China.
    public static let china = AWSPartition("aws-cn", "amazonaws.com.cn", "cn-north-1", ["cn-"])
    /// GovCloud of the United States.
    public static let govCloud = AWSPartition("aws-us-gov", "amazonaws.com", "us-gov-west-1", ["us-gov-"])

    static let all = [china, govCloud]

    private init(_ name: String, _ domain: String, _ globalRegion: AWSRegion, _ prefixes: [String]) {
        self.name = name
        self.domain = domain
        self.globalRegion = globalRegion
        self.prefixes = prefixes
    }

    /// The name.
    public var description: String { name }

    /// IAM is global in each partition.
    var iam: AWSEndpoint {
        let host =
            switch name {
            case "aws-cn": "iam.cn-north-1.amazonaws.com.cn"
            case "aws-us-gov": "iam.us-gov.amazonaws.com"
            default: "iam.amazonaws.com"
            }
        return AWSEndpoint(host: host, signingRegion: globalRegion.name)
    }

    func sts(in region: AWSRegion) -> AWSEndpoint {
        AWSEndpoint(host: "sts.\(region.name).\(domain)", signingRegion: region.name)
    }
}
