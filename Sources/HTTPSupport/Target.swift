import Domain

/// A request target (RFC 9112, origin form), split and decoded strictly.
public struct Target: Sendable {
    /// The decoded path's segments.
    public let segments: [String]
    /// The path as it was written.
    public let path: Substring
    /// The query as it was written; nil without a `?`.
    public let query: Substring?
    /// The query's parts between `&`, as they were written, without empty ones.
    public let pairs: [Substring]

    /// - Throws: ``Problem`` for a broken escape or a target that is no path.
    public init(_ target: String) throws(Problem) {
        let bytes = target.utf8
        guard bytes.first == UInt8(ascii: "/") else {
            throw Problem(.invalidRequest, "The request target should be a path that begins with '/'.")
        }
        let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
        path = target[..<(mark ?? target.endIndex)]
        query = mark.map { target[bytes.index(after: $0)...] }
        pairs = query.map { Self.split($0, at: UInt8(ascii: "&")).filter { !$0.isEmpty } } ?? []
        if path.utf8.contains(UInt8(ascii: "%")) {
            var segments: [String] = []
            for part in Self.split(path.dropFirst(), at: UInt8(ascii: "/")) {
                guard let segment = Self.decode(part, plusIsSpace: false), !segment.utf8.contains(0) else {
                    throw Problem(.invalidRequest, "The path has a broken escape, or is not UTF-8.")
                }
                segments.append(segment)
            }
            self.segments = segments
        } else {
            segments = Self.split(path.dropFirst(), at: UInt8(ascii: "/")).map(String.init)
        }
    }

    /// Splits by bytes: a separator is ASCII, and comparing characters would cost many times as much.
    private static func split(_ text: Substring, at separator: UInt8) -> [Substring] {
        let utf8 = text.utf8
        var parts: [Substring] = []
        var start = utf8.startIndex
        while let end = utf8[start...].firstIndex(of: separator) {
            parts.append(text[start..<end])
            start = utf8.index(after: end)
        }
        parts.append(text[start...])
        return parts
    }

    /// The query's parameters, in order.
    ///
    /// - Throws: ``Problem`` that names the parameter with a broken escape or bytes that are not UTF-8.
    public func parameters() throws(Problem) -> [RequestParameter] {
        var parameters: [RequestParameter] = []
        for pair in pairs {
            parameters.append(try Self.parameter(pair))
            if parameters.count > 300 { throw Problem(.invalidRequest, "The query has over 300 parameters.") }
        }
        return parameters
    }

    /// One of ``pairs``, decoded.
    ///
    /// - Throws: as ``parameters()``.
    public static func parameter(_ pair: Substring) throws(Problem) -> RequestParameter {
        let mark = pair.utf8.firstIndex(of: UInt8(ascii: "="))
        guard let name = decode(pair[..<(mark ?? pair.endIndex)], plusIsSpace: true) else {
            throw Problem(.invalidRequest, "The query has a parameter whose name is not escaped UTF-8.")
        }
        let raw = mark.map { pair[pair.utf8.index(after: $0)...] } ?? ""
        guard let value = decode(raw, plusIsSpace: true) else {
            throw Problem(.invalid(name, message: "has a broken escape, or is not UTF-8"))
        }
        return RequestParameter(name, value)
    }

    /// Percent-decoding (RFC 3986, 2.1), and `+` for a space in queries. Nil for a broken escape or bytes that are not
    /// UTF-8.
    static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
        let utf8 = text.utf8
        let needs = utf8.contains { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) || $0 >= 0x80 }
        if !needs { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        var iterator = utf8.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit) else { return nil }
                bytes.append(high << 4 | low)
            } else if plusIsSpace, byte == UInt8(ascii: "+") {
                bytes.append(0x20)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

extension Target {
    /// - Throws: ``Problem`` where a key stands in the query, by its name or by its look.
    public func refuseKey() throws(Problem) {
        for pair in pairs {
            let utf8 = pair.utf8
            let mark = utf8.firstIndex(of: UInt8(ascii: "=")) ?? utf8.endIndex
            let value = utf8[mark...].dropFirst()
            if Self.namesKey(pair[..<mark]) || value.starts(with: APIKeyToken.prefix.utf8) {
                throw Problem(
                    .invalidRequest, "A key in the address ends up in logs; send it as Authorization: Bearer rk_… and revoke this one.")
            }
        }
    }

    private static func namesKey(_ name: Substring) -> Bool {
        switch name.utf8.count {
        case 3: name.isHeader("key")
        case 5: name.isHeader("token")
        case 6: name.isHeader("apikey") || name.isHeader("secret")
        case 7: name.isHeader("api_key") || name.isHeader("api-key")
        case 12: name.isHeader("access_token")
        case 13: name.isHeader("authorization")
        default: false
        }
    }
}
