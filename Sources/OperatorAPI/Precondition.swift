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
                var versions: [Int64] = []
                for part in ifMatch.split(separator: ",") {
                    let text = part.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
                    guard let version = Int64(text) else {
                        throw Problem(.invalidRequest, "If-Match should be a record's version in quotes, such as \"3\", or *.")
                    }
                    versions.append(version)
                }
                match = .versions(versions)
            }
        }
        if let ifNoneMatch {
            guard ifNoneMatch == "*" else {
                throw Problem(.invalidRequest, "If-None-Match of a change can only be *: create, and replace nothing.")
            }
            isNew = true
        }
    }

    init(version: Int64) { match = .versions([version]) }

    private init() {}
    static let none = Precondition()

    func check(_ stored: Stored) throws(Problem) {
        if case .living(let record) = stored {
            if isNew { throw Problem(.preconditionFailed, "The record is there already, as \(record.recordID).") }
            if case .versions(let versions) = match, !versions.contains(record.version) {
                throw Problem(
                    .preconditionFailed, "The record is at version \(record.version) now; read it again.",
                    headers: [("ETag", "\"\(record.version)\"")])
            }
        } else if match != nil {
            throw Problem(.preconditionFailed, "There is no such record, so it has no version to match.")
        }
    }
}
