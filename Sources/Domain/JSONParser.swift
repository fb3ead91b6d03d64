/// Why a text is not JSON, and where.
public struct JSONError: Error, Sendable, CustomStringConvertible {
    public let message: String
    /// Bytes from the start of the text.
    public let offset: Int
    public var description: String { "\(message) at byte \(offset + 1)" }
}

/// A strict RFC 8259 reader of hostile text: bounded in depth and count, UTF-8 only, lone surrogates refused.
public struct JSONParser {
    /// How deep arrays and objects may nest.
    public static let maximumDepth = 64
    /// How many values one may hold, in all its depths: a text of little more than brackets takes many times its size.
    public static let maximumCount = 1_000_000

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var count = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Parses one value that is the whole text.
    public static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        var parser = JSONParser(text)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.position < text.count { throw parser.failure("something after the value") }
        return value
    }

    public static func parse(_ text: String) throws(JSONError) -> JSONValue {
        var text = text
        let result: Result<JSONValue, JSONError> = text.withUTF8 { buffer in
            do throws(JSONError) { return .success(try parse(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func failure(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    private mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        count += 1
        guard count <= Self.maximumCount else { throw failure("over \(Self.maximumCount) values") }
        guard position < bytes.count else { throw failure("the text ends where a value should be") }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count,
            word.withUTF8Buffer({ $0.elementsEqual(bytes[position..<position + length]) })
        else { throw failure("not a JSON value") }
        position += length
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        if depth > Self.maximumDepth { throw failure("nested deeper than \(Self.maximumDepth)") }
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(0x5D) { return .array([]) }
        while true {
            skipSpace()
            elements.append(try value(depth: depth))
            skipSpace()
            if take(0x2C) { continue }
            if take(0x5D) { return .array(elements) }
            throw failure("a comma or ] is missing")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        if depth > Self.maximumDepth { throw failure("nested deeper than \(Self.maximumDepth)") }
        position += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if take(0x7D) { return .object([]) }
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == 0x22 else { throw failure("a member's name is missing") }
            let name = try string()
            skipSpace()
            guard take(0x3A) else { throw failure("a colon is missing") }
            skipSpace()
            members.append(.init(name, try value(depth: depth)))
            skipSpace()
            if take(0x2C) { continue }
            if take(0x7D) { return .object(members) }
            throw failure("a comma or } is missing")
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        _ = take(0x2D)
        let whole = skipDigits()
        if whole == 0 {
            position = start
            throw failure("not a JSON value")
        }
        if whole > 1, bytes[position - whole] == 0x30 { throw failure("a number with a leading zero") }
        if take(0x2E), skipDigits() == 0 { throw failure("a number without digits after its point") }
        if position < bytes.count, bytes[position] | 0x20 == 0x65 {
            position += 1
            if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
            if skipDigits() == 0 { throw failure("a number without digits in its exponent") }
        }
        if position - start > 400 { throw failure("a number of over 400 characters") }
        return String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 { position += 1 }
        return position - start
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x22 {
                let text = try validated(UnsafeBufferPointer(rebasing: bytes[start..<position]), at: start)
                position += 1
                return text
            }
            if byte == 0x5C { return try escapedString(from: start) }
            if byte < 0x20 { throw failure("a control character in a string") }
            position += 1
        }
        throw failure("a string without its closing quote")
    }

    private func validated(_ text: UnsafeBufferPointer<UInt8>, at start: Int) throws(JSONError) -> String {
        // Plain ASCII needs no validation, which costs a look-up of generic metadata at each call.
        if text.allSatisfy({ $0 < 0x80 }) { return String(decoding: text, as: UTF8.self) }
        guard let text = String(validating: text, as: UTF8.self) else {
            throw JSONError(message: "not UTF-8", offset: start)
        }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text: [UInt8] = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x22 {
                position += 1
                return try text.withUnsafeBufferPointer { buffer throws(JSONError) in try validated(buffer, at: start) }
            }
            if byte < 0x20 { throw failure("a control character in a string") }
            position += 1
            if byte == 0x5C { try escape(into: &text) } else { text.append(byte) }
        }
        throw failure("a string without its closing quote")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard position < bytes.count else { throw failure("a string without its closing quote") }
        let letter = bytes[position]
        position += 1
        switch letter {
        case 0x22, 0x5C, 0x2F: text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = try hexadecimal()
            if scalar >= 0xD800, scalar < 0xDC00 {
                guard take(0x5C), take(UInt8(ascii: "u")) else { throw failure("half a surrogate pair") }
                let second = try hexadecimal()
                guard second >= 0xDC00, second < 0xE000 else { throw failure("half a surrogate pair") }
                scalar = 0x10000 + ((scalar - 0xD800) << 10) + (second - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw failure("half a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar)!)
        default: throw failure("an unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("an unfinished \\u escape") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw failure("an unfinished \\u escape")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
