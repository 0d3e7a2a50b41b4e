// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseDuration {
    /// Writes a duration as operators type it, such as `1d2h`, `1.5s` or `250ms`.
    ///
    /// The text is exact: ``parse(_:allowingNegative:)`` reads it back as the same duration.
    public static func text(of duration: Duration) -> String {
        text(attoseconds: duration.attoseconds, units: [.days, .hours, .minutes], micro: "us")
    }

    /// Writes a duration as Vault's texts do: in Go's style but without parts that are zero.
    ///
    /// Hours are the longest unit (`768h`), zero parts in between are dropped (`1h1s`), and what is shorter than a
    /// second is in the largest fitting unit (`1.5ms`, `100µs`, `7ns`). What is finer than a nanosecond is cut off, as
    /// Go does not know it.
    public static func vaultText(of duration: Duration) -> String {
        let nanosecond = Unit.nanoseconds.attoseconds
        let nanoseconds = duration.attoseconds / nanosecond
        return text(attoseconds: nanoseconds * nanosecond, units: [.hours, .minutes], micro: "\u{B5}s")
    }

    private static func text(attoseconds: Int128, units: [Unit], micro: String) -> String {
        if attoseconds == 0 { return "0s" }
        var rest = attoseconds.magnitude
        var text = attoseconds < 0 ? "-" : ""
        if rest < Unit.seconds.attoseconds.magnitude {
            let unit: Unit =
                rest >= Unit.milliseconds.attoseconds.magnitude
                ? .milliseconds : rest >= Unit.microseconds.attoseconds.magnitude ? .microseconds : .nanoseconds
            return text + decimal(rest, in: unit) + (unit == .microseconds ? micro : unit.spelling)
        }
        for unit in units {
            let (count, remainder) = rest.quotientAndRemainder(dividingBy: unit.attoseconds.magnitude)
            if count > 0 { text += "\(count)\(unit.spelling)" }
            rest = remainder
        }
        return rest == 0 ? text : text + decimal(rest, in: .seconds) + Unit.seconds.spelling
    }

    /// Writes a length in one unit with as many decimals as it needs.
    private static func decimal(_ attoseconds: UInt128, in unit: Unit) -> String {
        var step = unit.attoseconds.magnitude
        var (count, rest) = attoseconds.quotientAndRemainder(dividingBy: step)
        var text = String(count)
        if rest > 0 { text += "." }
        while rest > 0 {
            step /= 10
            (count, rest) = rest.quotientAndRemainder(dividingBy: step)
            text += String(count)
        }
        return text
    }
}
