import Domain
import GRDBSQLite

/// Who read whose personal data.
extension Database: AuditStore {
    public func record(reads: [PersonalRead]) throws {
        guard !reads.isEmpty else { return }
        try transaction { statements in
            for read in reads {
                var ids: [UInt8] = []
                ids.reserveCapacity(16 * read.candidates.count)
                for id in read.candidates {
                    withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { ids += $0 }
                }
                try statements(
                    "INSERT INTO reads (organization, key_id, route, first_at, last_at, requests, candidates) VALUES (?, ?, ?, ?, ?, ?, ?)"
                ).run([
                    .integer(read.way.organization.value), SQLValue(read.way.keyID), .text(read.way.route), SQLValue(read.first),
                    SQLValue(read.last), .integer(Int64(read.requests)), .blob(ids),
                ])
            }
        }
        // An export's ids would push out of the writer's cache what it needs again, and stay there themselves.
        if reads.reduce(0, { $0 + $1.candidates.count }) > 1 << 15 {
            queue.inDatabase { _ = $0.sqliteConnection.map(sqlite3_db_release_memory) }
        }
    }

    /// Forgets what was read before `moment`; true when there may be more.
    public func expireReads(before moment: Timestamp, batch: Int = 100) throws -> Bool {
        let old = "SELECT number FROM reads WHERE last_at < ? ORDER BY last_at LIMIT ?"
        let bound = [SQLValue(moment), .integer(Int64(batch))]
        let some = try snapshot { try $0(old).first(bound) { _ in true } ?? false }
        guard some else { return false }
        return try transaction { statements in
            try statements("DELETE FROM reads WHERE number IN (\(old))").run(bound)
            return try statements(old).first(bound) { _ in true } ?? false
        }
    }

    /// Gives what was read to `take`, the oldest first: without the candidates where one is asked for.
    ///
    /// - Parameters:
    ///   - candidate: only reads of this one.
    ///   - key: only reads by this key.
    public func reads(
        of candidate: ULID?, by key: String? = nil, since: Timestamp? = nil, until: Timestamp? = nil, in organization: Organization,
        _ take: (PersonalRead) -> Void
    ) throws {
        try snapshot { statements in
            try statements(
                """
                SELECT key_id, route, first_at, last_at, requests, candidates FROM reads
                WHERE organization = ?1 AND ifnull(key_id = ?2, ?2 IS NULL) AND last_at >= ifnull(?3, last_at) AND first_at < ifnull(?4, first_at + 1)
                ORDER BY last_at
                """
            ).forEach([.integer(organization.number.value), SQLValue(key), SQLValue(since), SQLValue(until)]) { row in
                let ids = row.ids(5)
                if let candidate, !ids.holds(candidate) { return }
                take(
                    PersonalRead(
                        way: .init(organization: organization.number, keyID: row.optionalString(0), route: row.string(1)),
                        requests: Int(row.integer(4)), first: row.time(2), last: row.time(3),
                        candidates: candidate == nil ? (0..<ids.count).map { ids[$0] } : []))
            }
        }
    }
}

/// Sorted ids that lie one after the other.
struct PackedIDs {
    let bytes: UnsafeRawBufferPointer
    var count: Int { bytes.count / 16 }

    subscript(index: Int) -> ULID {
        ULID(
            high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16 * index, as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16 * index + 8, as: UInt64.self)))
    }

    func holds(_ id: ULID) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] == id { return true }
            if self[middle] < id { low = middle + 1 } else { high = middle }
        }
        return false
    }
}

extension StatementRow {
    /// Valid until the row is left.
    func ids(_ column: Int) -> PackedIDs {
        let index = base + Int32(column)
        let start = sqlite3_column_blob(handle, index)
        return PackedIDs(bytes: UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index))))
    }
}
