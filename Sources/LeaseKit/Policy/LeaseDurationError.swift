// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

/// Says why a text is not a duration, at which character, and what would be right there.
///
/// The description never repeats more of the text than the first letters of a unit.
public struct LeaseDurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong with the text.
    public let code: Code
    /// The position of the first character that is wrong, counted from 1.
    public let position: Int
    /// A sentence that names the position and the fix; safe to log.
    public let description: String

    private init(_ code: Code, at position: Int, _ sentence: String) {
        self.code = code
        self.position = position
        description = "invalid duration at character \(position): \(sentence)"
    }

    /// Classifies what is wrong with a text.
    public struct Code: Hashable, Sendable {
        private enum Raw {
            case empty, whitespace, negative, missingNumber, missingUnit, unknownUnit, repeatedUnit
            case unexpectedCharacter, tooPrecise, tooLong
        }

        private let raw: Raw

        /// There is no text.
        public static let empty = Code(raw: .empty)
        /// There is a blank, a tab or a line break.
        public static let whitespace = Code(raw: .whitespace)
        /// There is a minus sign where only positive durations make sense.
        public static let negative = Code(raw: .negative)
        /// A number, or its part before or after the decimal point, is missing.
        public static let missingNumber = Code(raw: .missingNumber)
        /// A number has no unit.
        public static let missingUnit = Code(raw: .missingUnit)
        /// A unit is not one of those that are known.
        public static let unknownUnit = Code(raw: .unknownUnit)
        /// A unit occurs twice.
        public static let repeatedUnit = Code(raw: .repeatedUnit)
        /// A character stands where the unit should.
        public static let unexpectedCharacter = Code(raw: .unexpectedCharacter)
        /// A number has more decimals than can be kept exactly.
        public static let tooPrecise = Code(raw: .tooPrecise)
        /// The duration is longer than can be counted.
        public static let tooLong = Code(raw: .tooLong)
    }
}

extension LeaseDurationError: Hashable {
    /// Whether both have the same code; where and how it was said does not count.
    public static func == (lhs: LeaseDurationError, rhs: LeaseDurationError) -> Bool {
        lhs.code == rhs.code
    }

    /// Feeds the code into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
    }
}

extension LeaseDurationError {
    private static let units = "d, h, m, s, ms, us or ns"

    static let empty = Self(.empty, at: 1, "the text is empty; write a number with a unit, such as 30m")
    static let negative = Self(.negative, at: 1, "it must not be negative; leave out the minus sign")

    static func whitespace(at position: Int) -> Self {
        Self(.whitespace, at: position, "remove the white space; parts follow each other directly, as in 1h30m")
    }

    static func missingNumber(at position: Int) -> Self {
        Self(.missingNumber, at: position, "a digit is missing; write the number in full, as in 5m or 0.5h")
    }

    static func missingUnit(at position: Int) -> Self {
        Self(.missingUnit, at: position, "the number has no unit; add one of \(units)")
    }

    static func unknownUnit(_ spelling: String, at position: Int) -> Self {
        // Enough to recognise what was typed; a long run of letters may be anything, so it is not repeated.
        let shown = spelling.count > 8 ? "\(spelling.prefix(8))…" : spelling
        let fix = spelling == "w" ? "write weeks as days, 2w is 14d" : "use one of \(units), in lower case"
        return Self(.unknownUnit, at: position, "the unit \"\(shown)\" is unknown; \(fix)")
    }

    static func repeatedUnit(_ spelling: String, at position: Int) -> Self {
        Self(.repeatedUnit, at: position, "the unit \(spelling) occurs twice; add the numbers and write it once")
    }

    static func unexpectedCharacter(at position: Int) -> Self {
        Self(.unexpectedCharacter, at: position, "a unit should stand here; use one of \(units)")
    }

    static func tooPrecise(at position: Int) -> Self {
        Self(.tooPrecise, at: position, "the number has too many decimals to be kept exactly; use a smaller unit")
    }

    static func tooLong(at position: Int) -> Self {
        let longest = LeaseDuration.text(of: .seconds(Int64.max))
        return Self(.tooLong, at: position, "the duration is too long; use at most \(longest)")
    }
}
