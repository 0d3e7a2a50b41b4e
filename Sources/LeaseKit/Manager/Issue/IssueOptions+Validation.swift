// Part of LeaseKit. Licensed under the Apache License, Version 2.0 (see LICENSE.txt).
// SPDX-License-Identifier: Apache-2.0

extension IssueOptions {
    /// Checks what does not depend on anything else.
    func validate() throws(LeaseError) {
        if uses == 0 {
            throw LeaseError(.invalidRequest, "uses is 0; ask for at least one, or nil for any number")
        }
        let size = labels.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        if size > 512 {
            throw LeaseError(.invalidRequest, "the labels take \(size) bytes; keep them within 512")
        }
        try validate(requestID, "requestID")
        try validate(owner, "owner")
        try validate(actor, "actor")
        if (sealedPayload?.count ?? 0) > HandleSize.maximum {
            throw LeaseError(.invalidRequest, "the sealed payload is larger than \(HandleSize.maximum) bytes")
        }
    }
    private func validate(_ text: String?, _ name: StaticString) throws(LeaseError) {
        guard let text, text.isEmpty || text.utf8.count > 256 else { return }
        throw LeaseError(.invalidRequest, "\(name) has \(text.utf8.count) bytes; use 1 to 256, or nil for none")
    }
}
