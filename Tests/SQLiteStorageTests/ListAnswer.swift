import Domain
import GRDBSQLite

@testable import SQLiteStorage

/// All that a store says of a list.
struct ListAnswer: Equatable {
    let text: String
    let count: Int
    let hasMore: Bool
    let last: Timestamp?
    let asOf: Timestamp
    let total: Int?
    let hidden: HiddenIDs
    let told: [ULID]

    init(_ reader: any StoreReader, _ query: ListQuery, _ organization: Organization, _ form: ListForm) throws {
        var out = ByteWriter()
        let end = try reader.list(query, of: organization.number, form: form, into: &out)
        (text, count, hasMore, last) = (out.text, end.count, end.hasMore, end.last?.updatedAt)
        (asOf, total, hidden, told) = (end.asOf, end.total, end.hidden, reader.takeTold())
    }
}

extension Reader {
    /// The statements that begin meanwhile.
    func statementsRun(_ body: () throws -> Void) rethrows -> [String] {
        final class Texts { var all: [String] = [] }
        let texts = Texts()
        sqlite3_trace_v2(
            connection, UInt32(SQLITE_TRACE_STMT),
            { _, context, statement, _ in
                guard let context, let statement, let text = sqlite3_sql(OpaquePointer(statement)) else { return 0 }
                Unmanaged<Texts>.fromOpaque(context).takeUnretainedValue().all.append(String(cString: text))
                return 0
            }, Unmanaged.passUnretained(texts).toOpaque())
        defer { sqlite3_trace_v2(connection, 0, nil, nil) }
        try body()
        return texts.all
    }
}
