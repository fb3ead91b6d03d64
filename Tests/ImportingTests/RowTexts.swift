import Domain
import Importing

/// Rows as one line of text each, so that a test can say what it expects in full.
enum RowTexts {
    /// What a reader gives for a file: `2: external_id=c1 first_name=Ann`, or `3: ! reason`.
    /// - Parameter pieces: how many bytes each read gives, the last of them again and again.
    static func of(
        _ bytes: [UInt8], _ kind: RecordKind, _ format: FileFormat, mapping: Mapping? = nil, pieces: [Int] = [.max]
    ) throws -> [String] {
        let reader = try RecordReader(kind: kind, format: format, mapping: mapping, read: stream(bytes, pieces: pieces))
        var texts: [String] = []
        while let row = try reader.next() { texts.append(text(row)) }
        return texts
    }

    static func of(
        _ file: String, _ kind: RecordKind, _ format: FileFormat, mapping: String? = nil, pieces: [Int] = [.max]
    ) throws -> [String] {
        let mapping = try mapping.map { try Mapping(json: JSONParser.parse($0), kind: kind) }
        return try of(Array(file.utf8), kind, format, mapping: mapping, pieces: pieces)
    }

    static func stream(_ bytes: [UInt8], pieces: [Int] = [.max]) -> (UnsafeMutableRawBufferPointer) throws -> Int {
        var position = 0
        var piece = 0
        return { buffer in
            let wanted = pieces[min(piece, pieces.count - 1)]
            let count = min(wanted, buffer.count, bytes.count - position)
            buffer.copyBytes(from: bytes[position..<position + count])
            position += count
            piece += 1
            return count
        }
    }

    static func text(_ row: ImportedRow) -> String {
        switch row {
        case .record(let record, let line): "\(line): \(text(record))"
        case .rejected(let line, let reason, _): "\(line): ! \(reason)"
        }
    }

    static func text(_ record: RecordInput) -> String {
        var parts: [String] = []
        if let id = record.externalID { parts.append("external_id=\(id)") }
        for (index, value) in record.values.sorted(by: { $0.key < $1.key }) {
            parts.append("\(record.kind.schema.fields[index].name)=\(text(value))")
        }
        for reference in record.references {
            let name = record.kind.schema.fields[reference.field].name
            parts.append("\(name)=<\(reference.externalID)>")
        }
        if let resume = record.resume { parts.append("(\(resume.content.count) bytes)") }
        return parts.joined(separator: " ")
    }

    static func text(_ value: FieldValue) -> String {
        switch value {
        case .null: "null"
        case .text(let text): text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .time(let time): time.description
        case .list(let texts): "[\(texts.joined(separator: ","))]"
        case .json(let text): text
        case .reference(let id): id.text
        }
    }
}
