/// How a record is written as cells of a CSV line (RFC 4180), compiled once as ``RecordForm`` is.
///
/// - What is unknown is an empty cell; an empty text is `""`.
/// - A member of an object is a column of its own, `resume.size`; so are those of a related record, `candidate.status`.
/// - A list of texts is one cell, its texts joined by `;`, as an import reads them; a list that has a `;` in a text is JSON.
/// - Any other object or array is one cell of JSON.
/// - A text that a spreadsheet would run as a formula has a `'` before it (OWASP, "CSV Injection").
public struct CSVForm: Sendable {
    private enum Code: Sendable {
        case null, deletedAt, id, reference, externalID, maskedExternalID, text, list, json, people, integer, number, time, rank
    }

    private struct Cell: Sendable {
        let code: Code
        let column: Int
        /// What stands before a ULID: `cand_`.
        var prefix: [UInt8] = []
    }

    /// The columns' names, in order.
    public let names: [String]
    private let cells: [Cell]

    /// - Parameters:
    ///   - only: the top-level names to keep (`id` always stays); nil for all.
    ///   - owner: the name of the record that this one is a member of.
    public init(kind: RecordKind, projection: Projection, personal: Bool, only: Set<String>? = nil, owner: String? = nil) {
        var names: [String] = []
        var cells: [Cell] = []
        func add(_ name: String, of top: String, _ code: Code, column: Int, prefix: String? = nil) {
            guard only.map({ $0.contains(top) || top == "id" }) ?? true else { return }
            names.append(owner.map { "\($0).\(name)" } ?? name)
            cells.append(Cell(code: code, column: column, prefix: prefix.map { Array("\($0)_".utf8) } ?? []))
        }
        add("id", of: "id", .id, column: 0, prefix: kind.prefix)
        add("external_id", of: "external_id", personal ? .externalID : .maskedExternalID, column: 1)
        if projection != .brief {
            add("version", of: "version", .integer, column: 2)
            add("created_at", of: "created_at", .time, column: 3)
            add("updated_at", of: "updated_at", .time, column: 4)
            add("deleted_at", of: "deleted_at", .deletedAt, column: -1)
        }
        let base = projection == .brief ? 2 : Projection.heading.count
        for (position, index) in projection.fields(of: kind).enumerated() {
            let field = kind.schema.fields[index]
            var (code, prefix) = Self.code(of: field)
            if !personal, field.privacy == .personal { code = .null }
            if !personal, field.privacy == .emailsInside { code = .people }
            add(field.name, of: field.group ?? field.name, code, column: base + position, prefix: prefix)
            if kind == .match, field.name == "score" { add("rank", of: "rank", .rank, column: -1) }
        }
        self.names = names
        self.cells = cells
    }

    private static func code(of field: Field) -> (Code, prefix: String?) {
        switch field.form {
        case .text, .choice: (.text, nil)
        case .integer: (.integer, nil)
        case .number: (.number, nil)
        case .time: (.time, nil)
        case .list: (.list, nil)
        case .object, .array, .json: (.json, nil)
        case .reference(let kind): (.reference, kind.prefix)
        }
    }

    /// Writes the cells with commas between them.
    ///
    /// - Returns: whether an `external_id` was hidden because it looks like an e-mail address.
    public func write<Row: RowSource>(_ row: Row, rank: Int64? = nil, to out: inout ByteWriter) -> Bool {
        var hidden = false
        for index in cells.indices {
            if index > 0 { out.append(byte: 0x2C) }
            let column = cells[index].column
            switch cells[index].code {
            case .null, .deletedAt: break
            case .rank: if let rank { out.append(integer: rank) }
            case _ where row.isNull(column): break
            case .id, .reference:
                out.append(cells[index].prefix)
                out.append(ulid: row.ulid(column))
            case .integer: out.append(integer: row.integer(column))
            case .number: out.append(decimal: row.number(column))
            case .time: out.append(plain: row.time(column))
            case .maskedExternalID where row.text(column).contains(0x40): hidden = true
            case .maskedExternalID, .externalID, .text, .json: out.append(cell: row.text(column))
            case .list: Self.writeList(row.text(column), to: &out)
            case .people:
                var people = ByteWriter(capacity: 256)
                RecordForm.writePeople(row.text(column), to: &people)
                out.append(cell: people.bytes)
            }
        }
        return hidden
    }

    /// Writes the cells of a deleted record.
    public func writeTombstone(_ left: Tombstone, to out: inout ByteWriter) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { out.append(byte: 0x2C) }
            switch (cell.code, cell.column) {
            case (.id, _):
                out.append(cell.prefix)
                out.append(ulid: left.id)
            case (.integer, 2): out.append(integer: left.version)
            case (.time, 4): out.append(plain: left.updatedAt)
            case (.deletedAt, _): out.append(plain: left.deletedAt)
            default: break
            }
        }
    }

    /// As many empty cells as there are columns.
    public func writeNothing(to out: inout ByteWriter) {
        for _ in cells.dropFirst() { out.append(byte: 0x2C) }
    }

    /// Writes a JSON array of texts.
    private static func writeList(_ json: UnsafeBufferPointer<UInt8>, to out: inout ByteWriter) {
        guard json.count > 2 else { return out.append("\"\"") }
        guard json[1] == 0x22, !json.contains(0x5C), !json.contains(0x3B) else { return writeUnusualList(json, to: &out) }
        // No text in it has a quote, a semicolon or a control character: what is not between quotes is brackets and commas.
        out.append(byte: 0x22)
        if ByteWriter.runs(UnsafeBufferPointer(rebasing: json[2...])) { out.append(byte: 0x27) }
        out.reserve(json.count)
        var isInside = false
        for byte in json {
            if byte == 0x22 {
                isInside.toggle()
            } else if isInside {
                out.append(byte: byte)
            } else if byte == 0x2C {
                out.append(byte: 0x3B)
            }
        }
        out.append(byte: 0x22)
    }

    private static func writeUnusualList(_ json: UnsafeBufferPointer<UInt8>, to out: inout ByteWriter) {
        guard let value = try? JSONParser.parse(json), case .array(let elements) = value else { return out.append(cell: json) }
        let texts = elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
        guard texts.count == elements.count, !texts.contains(where: { $0.utf8.contains(0x3B) }) else { return out.append(cell: json) }
        var text = texts.joined(separator: ";")
        text.withUTF8 { out.append(cell: $0) }
    }
}

extension ByteWriter {
    /// A time without quotes.
    public mutating func append(plain time: Timestamp) {
        reserve(27)
        time.write(to: base + _count)
        _count &+= 27
    }

    /// A text as a CSV cell: between quotes where RFC 4180 needs them and where it is empty, behind a `'` where it would run
    /// as a formula.
    public mutating func append(cell text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress, !text.isEmpty else { return append("\"\"") }
        let isFormula = Self.runs(text)
        guard isFormula || start[0] == 0x20 || text[text.count - 1] == 0x20 || Self.cleanPrefix(start, text.count, stop: 0x2C) < text.count
        else {
            return append(text)
        }
        reserve(text.count &+ 3)
        append(byte: 0x22)
        if isFormula { append(byte: 0x27) }
        var rest = text
        while let quote = rest.firstIndex(of: 0x22) {
            append(UnsafeBufferPointer(rebasing: rest[...quote]))
            append(byte: 0x22)
            rest = UnsafeBufferPointer(rebasing: rest[(quote + 1)...])
        }
        append(rest)
        append(byte: 0x22)
    }

    /// Begins as formulas do: `=`, `+`, `-`, `@`, a tab or a line end, or the wide forms of the first four.
    fileprivate static func runs(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch text[0] {
        case 0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D, 0x0A: true
        case 0xEF: text.count >= 3 && text[1] == 0xBC && [0x9D, 0x8B, 0x8D, 0xA0].contains(text[2])
        default: false
        }
    }
}
