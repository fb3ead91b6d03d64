/// Where a walk goes on: opaque to clients, bound to the list, its filters and its sort, carrying no authority.
///
/// Everything in it is read as a hint from outside; the key's organization and scopes never come from it. A check sum
/// tells a cut or mistyped one from a whole one.
struct Cursor {
    /// What the list is of.
    let kind: RecordKind
    let canonical: String
    let position: ListPosition

    init(kind: RecordKind, canonical: String, position: ListPosition) {
        self.kind = kind
        self.canonical = canonical
        self.position = position
    }

    /// The filters that it was made for, to be read again.
    var parameters: [RequestParameter] {
        canonical.split(separator: "\u{1F}").map { part in
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return RequestParameter(String(pair[0]), pair.count == 2 ? String(pair[1]) : "")
        }
    }

    private static let format: UInt8 = 2

    var text: String {
        var bytes: [UInt8] = [Self.format, kind.rawValue]
        Self.append(UInt64(bitPattern: position.asOf.microseconds), to: &bytes)
        Self.append(UInt64(bitPattern: position.updatedAt.microseconds), to: &bytes)
        switch position.value {
        case .time(let time):
            bytes.append(1)
            Self.append(UInt64(bitPattern: time.microseconds), to: &bytes)
        case .number(let number):
            bytes.append(2)
            Self.append(number.bitPattern, to: &bytes)
        case .text(let text):
            let utf8 = Array(text.utf8)
            bytes.append(3)
            Self.append(UInt64(utf8.count), to: &bytes)
            bytes += utf8
        default: bytes.append(0)
        }
        bytes += canonical.utf8
        let sum = CRC32.checksum(bytes)
        bytes += [UInt8(truncatingIfNeeded: sum >> 8), UInt8(truncatingIfNeeded: sum)]
        return Base64.encodeURLSafe(bytes)
    }

    init?(text: String) {
        guard let bytes = Base64.decodeURLSafe(text), bytes.count >= 20, bytes[0] == Self.format else { return nil }
        let sum = CRC32.checksum(bytes.dropLast(2))
        guard UInt8(truncatingIfNeeded: sum >> 8) == bytes[bytes.count - 2], UInt8(truncatingIfNeeded: sum) == bytes[bytes.count - 1]
        else { return nil }
        var rest = bytes[1..<bytes.count - 2]
        guard let kind = rest.popFirst().flatMap(RecordKind.init) else { return nil }
        guard let asOf = Self.time(&rest), let updatedAt = Self.time(&rest), let form = rest.popFirst() else { return nil }
        let value: FieldValue
        switch form {
        case 0: value = .null
        case 1:
            guard let time = Self.time(&rest) else { return nil }
            value = .time(time)
        case 2:
            guard let bits = Self.word(&rest) else { return nil }
            let number = Double(bitPattern: bits)
            guard number.isFinite else { return nil }
            value = .number(number)
        case 3:
            guard let length = Self.word(&rest), length <= UInt64(rest.count),
                let text = String(validating: rest.prefix(Int(length)), as: UTF8.self)
            else { return nil }
            rest = rest.dropFirst(Int(length))
            value = .text(text)
        default: return nil
        }
        guard let canonical = String(validating: rest, as: UTF8.self) else { return nil }
        self.kind = kind
        self.canonical = canonical
        position = ListPosition(value: value, updatedAt: updatedAt, asOf: asOf)
    }

    private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }

    private static func word(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        guard bytes.count >= 8 else { return nil }
        let word = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        bytes = bytes.dropFirst(8)
        return word
    }

    private static func time(_ bytes: inout ArraySlice<UInt8>) -> Timestamp? {
        guard let word = word(&bytes) else { return nil }
        let time = Timestamp(microseconds: Int64(bitPattern: word))
        return time >= .earliest && time <= .latest ? time : nil
    }
}

/// The CRC-32 of ISO 3309 and RFC 1952.
public enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    /// - Parameter sum: of what comes before the bytes.
    public static func checksum(_ bytes: some Sequence<UInt8>, after sum: UInt32 = 0) -> UInt32 {
        ~bytes.reduce(~sum) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
    }
}
