// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

import LeaseKit
import Testing

/// Expects a `LeaseError` of one code whose sentence has all of these words in it, and answers it.
@discardableResult
func expectRefusal<Answer>(
    _ code: LeaseError.Code,
    _ words: String...,
    sourceLocation: SourceLocation = #_sourceLocation,
    by body: () async throws -> Answer
) async -> LeaseError? {
    do {
        _ = try await body()
        Issue.record("nothing was refused; \(code) was expected", sourceLocation: sourceLocation)
        return nil
    } catch let error as LeaseError {
        #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
        for word in words {
            #expect(error.message.contains(word), "\(error.message)", sourceLocation: sourceLocation)
        }
        return error
    } catch {
        Issue.record("\(type(of: error)) was thrown: \(error)", sourceLocation: sourceLocation)
        return nil
    }
}
