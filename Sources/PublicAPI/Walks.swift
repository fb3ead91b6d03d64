import Domain
import HTTPSupport

extension ListAnswer {
    var walk: ListWalk { ListWalk(answer: self) }
}

/// Through a list of records.
struct ListWalk: Walk {
    private let answer: ListAnswer
    private var query: ListQuery
    private var asOf = Timestamp(microseconds: 0)

    init(answer: ListAnswer) {
        self.answer = answer
        query = answer.list.query
        query.limit = Export.piece
        query.countsExactly = false
    }

    func count(_ reader: any StoreReader) throws -> Int {
        try reader.count(query, of: answer.call.key.organization, form: answer.form)
    }

    mutating func writePage(_ reader: any StoreReader, to out: inout ByteWriter) throws -> (rows: Int, isLast: Bool) {
        let end = try reader.list(query, of: answer.call.key.organization, form: answer.form, into: &out)
        asOf = end.asOf
        guard end.hasMore, let last = end.last else { return (end.count, true) }
        query.position = last
        return (end.count, false)
    }

    var cursor: String? { query.position.map(answer.list.cursor) }
    var mark: (String, String) { ListAnswer.mark(asOf) }
    var columnNames: [String] { answer.form.columnNames }
    /// An `external_id` that looks like an e-mail address may be in any row.
    var masked: [String]? {
        var hidden = HiddenIDs(rawValue: .max)
        if let fields = answer.list.fields, !fields.contains("external_id") { hidden.remove(.own) }
        return answer.masked(hidden)
    }
}

/// Through the feed of events.
struct EventWalk: Walk {
    private let call: Call
    private var request: EventRequest
    private var last: Int64 = 0
    private var hasBegun = false

    init(call: Call, request: EventRequest) {
        self.call = call
        self.request = request
        self.request.query.limit = Export.piece
    }

    func count(_ reader: any StoreReader) throws -> Int { try reader.count(request.query, of: call.key.organization) }

    mutating func writePage(_ reader: any StoreReader, to out: inout ByteWriter) throws -> (rows: Int, isLast: Bool) {
        // The last event of the whole feed is known with the first page: what comes later is not in the snapshot.
        if !hasBegun { last = try reader.lastEvent(of: call.key.organization) }
        hasBegun = true
        let end = try reader.events(request.query, of: call.key.organization, personal: call.readsPersonal, into: &out)
        if end.expired { throw Problem.eventsExpired }
        request.query.after = end.lastSequence
        return (end.count, !end.hasMore)
    }

    static func mark(_ sequence: Int64) -> (String, String) { ("X-Last-Sequence", String(sequence)) }
    var cursor: String? { hasBegun ? request.query.after.map(request.cursor) : nil }
    var mark: (String, String) { Self.mark(last) }
    var columnNames: [String] { EventQuery.columnNames }
    var masked: [String]? { call.readsPersonal ? nil : EventCatalogue.masked }
}
