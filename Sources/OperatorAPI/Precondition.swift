import Domain
import HTTPSupport

/// `If-Match` and `If-None-Match` of a change (RFC 9110, 13.1): a record's entity tag is its version in quotes.
struct Precondition: Sendable {
    private enum Match: Sendable {
        case any
        case versions([Int64])
    }
    private var match: Match?
    /// Only what is not there yet.
    private var isNew = false

    /// - Throws: ``Problem`` for what is no tag of ours: to overlook it would be to overwrite.
    init(ifMatch: String?, ifNoneMatch: String?) throws(Problem) {
        if let ifMatch {
            if ifMatch == "*" {
                match = .any
            } else {
                let versions = ifMatch.split(separator: ",", omittingEmptySubsequences: false).map(Self.version)
                guard case let known = versions.compactMap(\.self), known.count == versions.count else {
                    throw Problem(.invalidRequest, "If-Match should be a record's version in quotes, such as \"3\", or *.")
                }
                match = .versions(known)
            }
        }
        if let ifNoneMatch {
            guard ifNoneMatch == "*" else {
                throw Problem(.invalidRequest, "If-None-Match of a change can only be *: create, and replace nothing.")
            }
            isNew = true
        }
    }

    /// Nil for what is no strong tag with a version in it.
    private static func version(_ tag: Substring) -> Int64? {
        let text = tag.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        guard text.count >= 3, text.first == "\"", text.last == "\"" else { return nil }
        return Int64(String(text.dropFirst().dropLast()))
    }

    init(version: Int64) { match = .versions([version]) }

    private init() {}
    static let none = Precondition()

    func check(_ stored: Stored) throws(Problem) {
        if case .living(let record) = stored {
            if isNew { throw Problem(.preconditionFailed, "The record is there already, as \(record.recordID).") }
            try check(version: record.version)
        } else if match != nil {
            throw Problem(.preconditionFailed, "There is no such record, so it has no version to match.")
        }
    }

    func check(version: Int64) throws(Problem) {
        guard case .versions(let versions) = match, !versions.contains(version) else { return }
        throw Problem(
            .preconditionFailed, "The record is at version \(version) now; read it again.", headers: [("ETag", "\"\(version)\"")])
    }
}
