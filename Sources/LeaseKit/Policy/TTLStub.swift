public struct TTLLimits: Sendable, Hashable {
    public var ttl: Duration?, maximum: Duration?, period: Duration?;
    public init(ttl: Duration? = nil, maximum: Duration? = nil, period: Duration? = nil) {
        self.ttl = ttl; self.maximum = maximum; self.period = period
    }
}
