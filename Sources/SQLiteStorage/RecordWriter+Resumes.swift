import Domain
import GRDBSQLite

/// Résumés' bytes, written and compared in pieces.
extension RecordWriter {
    private static let piece = 64 << 10

    func keepResume(_ resume: RecordInput.Document?, before: Record?, after: Record) throws {
        let id = SQLValue.ulid(after.id)
        if let content = resume?.content {
            // Not OR REPLACE, for which SQLite keeps the old bytes until the statement has ended.
            try statements("DELETE FROM resumes WHERE candidate_id = ?").run([id])
            try statements("INSERT INTO resumes (candidate_id, bytes) VALUES (?, zeroblob(?))")
                .run([id, .integer(Int64(content.count))])
            try withBlob(of: after.id, writing: true) { blob in
                try inPieces(of: content) { buffer, offset in
                    try check(sqlite3_blob_write(blob, buffer.baseAddress, Int32(buffer.count), Int32(offset)))
                    return true
                }
            }
        } else if before != nil, after["resume.size"] == .null, before?["resume.size"] != .null {
            try statements("DELETE FROM resumes WHERE candidate_id = ?").run([id])
        }
    }

    /// Whether the input's résumé, if it has one, is the one that is stored.
    func resumeIsUnchanged(_ existing: Record, _ input: RecordInput) throws -> Bool {
        guard let content = input.resume?.content else { return true }
        return try hasResume(content, of: existing)
    }

    func hasResume(_ content: any ByteSource, of existing: Record) throws -> Bool {
        let size = try statements("SELECT length(bytes) FROM resumes WHERE candidate_id = ?").first([.ulid(existing.id)]) { $0.integer(0) }
        guard size == Int64(content.count) else { return false }
        var isSame = true
        try withBlob(of: existing.id, writing: false) { blob in
            var stored = [UInt8](repeating: 0, count: Self.piece)
            try inPieces(of: content) { buffer, offset in
                isSame = try stored.withUnsafeMutableBytes { stored in
                    try check(sqlite3_blob_read(blob, stored.baseAddress, Int32(buffer.count), Int32(offset)))
                    return stored[..<buffer.count].elementsEqual(buffer)
                }
                return isSame
            }
        }
        return isSame
    }

    private func withBlob(of candidate: ULID, writing: Bool, _ body: (OpaquePointer) throws -> Void) throws {
        let row = try statements("SELECT rowid FROM resumes WHERE candidate_id = ?").first([.ulid(candidate)]) { $0.integer(0) } ?? 0
        var blob: OpaquePointer?
        try check(sqlite3_blob_open(direct.connection, "main", "resumes", "bytes", row, writing ? 1 : 0, &blob))
        guard let blob else { throw SQLiteFailure(direct.connection, code: SQLITE_NOMEM) }
        defer { sqlite3_blob_close(blob) }
        try body(blob)
    }

    /// - Parameter body: gets a piece and where it begins; false ends the reading.
    private func inPieces(of content: any ByteSource, _ body: (UnsafeRawBufferPointer, Int) throws -> Bool) throws {
        var piece = [UInt8](repeating: 0, count: min(Self.piece, content.count))
        var offset = 0
        while offset < content.count {
            let goesOn = try piece.withUnsafeMutableBytes { buffer in
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, content.count - offset)])
                try content.read(into: part, from: offset)
                return try body(UnsafeRawBufferPointer(part), offset)
            }
            guard goesOn else { return }
            offset += Self.piece
        }
    }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw SQLiteFailure(direct.connection, code: code) }
    }
}
