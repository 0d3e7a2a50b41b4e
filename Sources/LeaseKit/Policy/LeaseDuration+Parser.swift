// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension LeaseDuration {
    /// Walks over a typed duration, one number with its unit at a time.
    struct Parser {
        private let characters: [Character]
        private var index = 0

        init(_ text: String) {
            characters = Array(text)
        }

        /// Reads the whole text.
        mutating func parse(allowingNegative: Bool) throws(LeaseDurationError) -> Duration {
            if characters.isEmpty { throw .empty }
            // Looked for first, so that a stray blank is named as such wherever it stands.
            if let space = characters.firstIndex(where: \.isWhitespace) { throw .whitespace(at: space + 1) }
            let isNegative = characters[0] == "-"
            if isNegative {
                guard allowingNegative else { throw .negative }
                index = 1
            }
            let total = try readTerms()
            return Duration(attoseconds: isNegative ? -total : total)
        }

        private mutating func readTerms() throws(LeaseDurationError) -> Int128 {
            var total: Int128 = 0
            var seen: Set<Unit> = []
            var isFirst = true
            repeat {
                let start = index
                let number = try readNumber()
                let unit: Unit
                if index == characters.count, isFirst, number.fraction.isEmpty {
                    unit = .seconds
                } else {
                    let position = index + 1
                    unit = try readUnit()
                    guard seen.insert(unit).inserted else {
                        throw .repeatedUnit(unit.spelling, at: position)
                    }
                }
                let length = try attoseconds(number, of: unit, from: start)
                let (sum, overflow) = total.addingReportingOverflow(length)
                if overflow || sum > longest.attoseconds { throw .tooLong(at: start + 1) }
                total = sum
                isFirst = false
            } while index < characters.count
            return total
        }

        /// The digits before and after the decimal point.
        private typealias Number = (whole: [Int128], fraction: [Int128])

        private mutating func readNumber() throws(LeaseDurationError) -> Number {
            let whole = readDigits()
            if whole.isEmpty { throw .missingNumber(at: index + 1) }
            guard index < characters.count, characters[index] == "." else { return (whole, []) }
            index += 1
            let fraction = readDigits()
            if fraction.isEmpty { throw .missingNumber(at: index + 1) }
            return (whole, fraction)
        }

        private mutating func readDigits() -> [Int128] {
            var digits: [Int128] = []
            // Only ASCII: `wholeNumberValue` would also take the digits of other scripts.
            while index < characters.count, characters[index].isASCII, let digit = characters[index].wholeNumberValue {
                digits.append(Int128(digit))
                index += 1
            }
            return digits
        }

        private mutating func readUnit() throws(LeaseDurationError) -> Unit {
            let start = index
            while index < characters.count, characters[index].isLetter { index += 1 }
            guard index > start else {
                throw index == characters.count ? .missingUnit(at: start + 1) : .unexpectedCharacter(at: start + 1)
            }
            let spelling = String(characters[start..<index])
            guard let unit = Unit(spelling) else { throw .unknownUnit(spelling, at: start + 1) }
            return unit
        }

        private func attoseconds(
            _ number: Number,
            of unit: Unit,
            from start: Int
        ) throws(LeaseDurationError) -> Int128 {
            var count: Int128 = 0
            for digit in number.whole {
                count = count * 10 + digit
                // A bound far below the type's own keeps every step of this loop from overflowing.
                if count > longest.attoseconds { throw .tooLong(at: start + 1) }
            }
            var (total, overflow) = count.multipliedReportingOverflow(by: unit.attoseconds)
            if overflow || total > longest.attoseconds { throw .tooLong(at: start + 1) }
            var step = unit.attoseconds
            let significant = number.fraction.lastIndex { $0 != 0 }.map { number.fraction[...$0] } ?? []
            for digit in significant {
                guard step % 10 == 0 else { throw .tooPrecise(at: start + 1) }
                step /= 10
                total += digit * step
            }
            return total
        }
    }
}
