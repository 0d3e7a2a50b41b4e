// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// One number, what it is compared with, and what it should be.
struct Measurement {
    /// What was measured, such as `issue at 1 M`.
    let name: String
    let value: Double
    let unit: String
    /// The same number of the raw baseline, measured in the same run.
    var baseline: Double?
    /// The most that the value should be.
    var target: Double?

    init(_ name: String, _ value: Double, _ unit: String, baseline: Double? = nil, target: Double? = nil) {
        self.name = name
        self.value = value
        self.unit = unit
        self.baseline = baseline
        self.target = target
    }

    /// How many times the baseline it is.
    var ratio: Double? {
        guard let baseline, baseline > 0 else { return nil }
        return value / baseline
    }

    /// Whether the target was met; nil where there is none.
    var pass: Bool? { target.map { value <= $0 } }

    /// The measurement as one JSON object.
    var json: String {
        let fields = [
            "\"name\":\"\(name)\"", "\"value\":\(number(value))", "\"unit\":\"\(unit)\"",
            "\"baseline\":\(number(baseline))", "\"ratio\":\(number(ratio))", "\"target\":\(number(target))",
            "\"pass\":\(pass.map { "\($0)" } ?? "null")",
        ]
        return "{\(fields.joined(separator: ","))}"
    }

    private func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "null" }
}
