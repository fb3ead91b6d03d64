/// Follows the brackets and strings of a JSON text to its end, in as many pieces as it comes.
struct BracketScan {
    enum Outcome {
        case incomplete
        /// The value ends before ``BracketScan/position``.
        case end
        /// A bracket closes what another one opened.
        case mismatch
    }

    /// Where to go on, from the start of the bytes given.
    var position = 0

    /// Whether a comma or `]` outside all brackets ends the value.
    private let insideArray: Bool
    private var depth = 0
    /// The kinds of the outermost 64 open brackets, the latest lowest: 1 for `{`. Deeper ones the parser refuses.
    private var open: UInt64 = 0
    /// At least as many as the text has values, arrays and objects among them.
    private(set) var values = 1
    private var isInString = false
    private var isEscaped = false

    /// Outside all brackets and strings: where the text ends here, the value is whole.
    var isOutside: Bool { depth == 0 && !isInString }

    init(insideArray: Bool) { self.insideArray = insideArray }

    mutating func advance(through bytes: UnsafeBufferPointer<UInt8>) -> Outcome {
        while position < bytes.count {
            if isInString {
                skipString(bytes)
                continue
            }
            switch bytes[position] {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "]") where depth == 0 && insideArray: return .end
            case UInt8(ascii: ","):
                if depth == 0, insideArray { return .end }
                values += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["): push(bytes[position])
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard pop(bytes[position]) else { return .mismatch }
                if depth == 0, !insideArray {
                    position += 1
                    return .end
                }
            default: break
            }
            position += 1
        }
        return .incomplete
    }

    private mutating func push(_ bracket: UInt8) {
        depth += 1
        values += 1
        if depth <= 64 { open = open << 1 | (bracket == UInt8(ascii: "{") ? 1 : 0) }
    }

    private mutating func pop(_ bracket: UInt8) -> Bool {
        guard depth > 0 else { return false }
        if depth <= 64 {
            guard (open & 1 == 1) == (bracket == UInt8(ascii: "}")) else { return false }
            open >>= 1
        }
        depth -= 1
        return true
    }

    private mutating func skipString(_ bytes: UnsafeBufferPointer<UInt8>) {
        if isEscaped {
            isEscaped = false
            position += 1
            return
        }
        let special = bytes.first(0x22, or: 0x5C, from: position)
        position = special ?? bytes.count
        guard let special else { return }
        if bytes[special] == 0x5C { isEscaped = true } else { isInString = false }
        position = special + 1
    }
}

extension RowLimits {
    /// Whether the text of one JSON value may hold more values than memory should be spent on.
    static func holdsTooManyValues(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        // Shorter ones can't.
        guard text.count > values else { return false }
        var scan = BracketScan(insideArray: false)
        _ = scan.advance(through: text)
        return scan.values > values
    }
}
