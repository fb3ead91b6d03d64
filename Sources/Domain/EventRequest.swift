/// A request for a part of the event feed, parsed.
public struct EventRequest: Sendable {
    public var query = EventQuery()
    /// How long to hold the request until there is an event, in seconds; 0 for not at all.
    public private(set) var wait = 0
    /// Every event is asked for, in one answer.
    public private(set) var isExport = false
    private var canonical = ""

    public static let parameters = [
        "limit", "cursor", "after", "created_after", "created_before", "type", "candidate_id", "job_id", "wait",
        "format", "export",
    ]
    public static let longestWait = 30

    public init(_ parameters: [RequestParameter]) throws(ParameterFault) {
        var spelled: [(String, String)] = []
        var cursor: String?
        var seen: Set<String> = []
        for parameter in parameters {
            let (name, value) = (parameter.name, parameter.value)
            guard Self.parameters.contains(name) else {
                throw .unknown(name, suggestion: Suggestion.closest(to: name, in: Self.parameters))
            }
            guard seen.insert(name).inserted else { throw .repeated(name) }
            switch name {
            case "cursor": cursor = value
            case "limit": query.limit = try Int(Self.number(value, name, 1...Int64(ListDefinition.largestPage)))
            case "after": query.after = try Self.number(value, name, 0...(1 << 50))
            case "format": _ = try Notation(parameter: value)
            case "export":
                guard value == "all" else { throw .invalid(name, message: "takes only 'all'", allowed: ["all"]) }
                isExport = true
            case "wait": wait = try Int(Self.number(value, name, 0...Int64(Self.longestWait)))
            default: spelled.append((name, try read(name, value)))
            }
        }
        for name in ["limit", "wait"] where isExport && seen.contains(name) {
            throw .invalid(name, message: "is for pages; 'export=all' gives everything")
        }
        canonical = spelled.sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "\u{1F}")
        if let cursor { try adopt(cursor) }
    }

    private mutating func read(_ name: String, _ value: String) throws(ParameterFault) -> String {
        switch name {
        case "type":
            query.types = try value.split(separator: ",", omittingEmptySubsequences: false).map { word throws(ParameterFault) in
                guard let type = EventType(rawValue: String(word)) else {
                    let known = EventType.allCases.map(\.rawValue)
                    let hint = Suggestion.text(for: String(word), in: known)
                    throw .invalid(name, message: "knows no '\(word.prefix(60))'\(hint)", allowed: known)
                }
                return type
            }
            return query.types.map(\.rawValue).sorted().joined(separator: ",")
        case "candidate_id":
            query.candidates = try Self.ids(value, .candidate, name)
            return query.candidates.map(\.text).sorted().joined(separator: ",")
        case "job_id":
            query.jobs = try Self.ids(value, .job, name)
            return query.jobs.map(\.text).sorted().joined(separator: ",")
        default:
            guard let time = Timestamp(rfc3339: value) else {
                throw .invalid(name, message: "is an RFC 3339 time, such as 2026-01-31T09:00:00Z")
            }
            if name == "created_after" { query.createdAfter = time } else { query.createdBefore = time }
            return time.description
        }
    }

    private static func number(_ value: String, _ name: String, _ range: ClosedRange<Int64>) throws(ParameterFault) -> Int64 {
        guard (1...18).contains(value.utf8.count), value.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int64(value),
            range.contains(number)
        else {
            throw .invalid(
                name, message: "is a whole number from \(range.lowerBound) to \(range.upperBound)", maximum: Int(range.upperBound))
        }
        return number
    }

    private static func ids(_ value: String, _ kind: RecordKind, _ name: String) throws(ParameterFault) -> [ULID] {
        let parts = value.split(separator: ",", maxSplits: 101, omittingEmptySubsequences: false)
        guard parts.count <= 100 else { throw .invalid(name, message: "takes at most 100 ids", maximum: 100) }
        return try parts.map { part throws(ParameterFault) in
            guard let id = RecordID(part, kind: kind) else {
                throw .invalid(name, message: "'\(part.prefix(60))' is no \(kind.singular) id (\(kind.prefix)_…)")
            }
            return id.ulid
        }
    }

    /// The cursor of the page after an event.
    public func cursor(after sequence: Int64) -> String {
        var bytes = Array("e\(sequence)\u{1E}\(canonical)".utf8)
        let sum = CRC32.checksum(bytes)
        bytes += [UInt8(truncatingIfNeeded: sum >> 8), UInt8(truncatingIfNeeded: sum)]
        return Base64.encodeURLSafe(bytes)
    }

    private mutating func adopt(_ cursor: String) throws(ParameterFault) {
        guard let bytes = Base64.decodeURLSafe(cursor), bytes.count > 4,
            let text = String(validating: bytes.dropLast(2), as: UTF8.self), text.first == "e"
        else { throw .invalidCursor }
        let sum = CRC32.checksum(bytes.dropLast(2))
        let parts = text.dropFirst().split(separator: "\u{1E}", maxSplits: 1, omittingEmptySubsequences: false)
        guard bytes[bytes.count - 2] == UInt8(truncatingIfNeeded: sum >> 8), bytes[bytes.count - 1] == UInt8(truncatingIfNeeded: sum),
            parts.count == 2, let sequence = Int64(parts[0]), (0...(1 << 50)).contains(sequence)
        else { throw .invalidCursor }
        let own = canonical
        if own.isEmpty, !parts[1].isEmpty {
            for pair in parts[1].split(separator: "\u{1F}") {
                let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard sides.count == 2, ["type", "candidate_id", "job_id", "created_after", "created_before"].contains(sides[0])
                else { throw .invalidCursor }
                do throws(ParameterFault) { _ = try read(sides[0], Self.restored(sides)) } catch { throw .invalidCursor }
            }
            canonical = String(parts[1])
        }
        guard canonical == parts[1] else { throw .cursorMismatch }
        query.after = sequence
    }

    /// Ids stand in a cursor without their prefix.
    private static func restored(_ sides: [String]) -> String {
        let kind: RecordKind? = sides[0] == "candidate_id" ? .candidate : sides[0] == "job_id" ? .job : nil
        guard let kind else { return sides[1] }
        return sides[1].split(separator: ",").map { "\(kind.prefix)_\($0)" }.joined(separator: ",")
    }
}
