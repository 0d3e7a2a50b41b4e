// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Prints measurements: as a table at the end, or as one JSON object a line at once.
struct Report {
    enum Style { case table, json }

    private let style: Style
    private var rows: [Measurement] = []

    init(style: Style) { self.style = style }

    /// How many targets were missed.
    var missed: Int { rows.count { $0.pass == false } }

    mutating func add(_ measurements: [Measurement]) {
        rows += measurements
        if style == .json { for measurement in measurements { print(measurement.json) } }
    }

    func finish() {
        guard style == .table else { return }
        let header = ["measurement", "value", "unit", "baseline", "ratio", "target", ""]
        let cells = rows.map { row in
            [
                row.name, figure(row.value), row.unit, row.baseline.map(figure) ?? "", row.ratio.map(figure) ?? "",
                row.target.map { "≤ \(figure($0))" } ?? "", row.pass.map { $0 ? "ok" : "MISSED" } ?? "",
            ]
        }
        let widths = header.indices.map { column in ([header] + cells).map { $0[column].count }.max() ?? 0 }
        for line in [header] + cells {
            let isWord = [0, 2, 6]
            let columns = line.indices.map { column in
                padded(line[column], to: widths[column], atStart: !isWord.contains(column))
            }
            print(columns.joined(separator: "  ").trimmingEnd)
        }
    }
}

/// A number for people: three digits that count.
func figure(_ value: Double) -> String {
    if value >= 100 || value == 0 { return grouped(Int(value.rounded())) }
    let scale: Double = value >= 10 ? 10 : value >= 1 ? 100 : 1_000
    return "\((value * scale).rounded() / scale)"
}

/// A whole number with a comma before each three digits.
private func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number).reversed().enumerated() {
        if place > 0 && place % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

/// A text with spaces up to a width.
func padded(_ text: String, to width: Int, atStart: Bool = false) -> String {
    let spaces = String(repeating: " ", count: max(0, width - text.count))
    return atStart ? spaces + text : text + spaces
}

extension String {
    fileprivate var trimmingEnd: Substring {
        self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]
    }
}
