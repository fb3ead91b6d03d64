#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes under construction: what every response body is written into.
///
/// It owns raw memory rather than an array, so that a writer kept between requests never allocates again and appends
/// compile to plain stores. Not copyable: one owner, freed once.
public struct ByteWriter: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline var capacity: Int
    @usableFromInline var _count = 0

    @inlinable
    public var count: Int { _count }

    public init(capacity: Int = 16_384) {
        base = .allocate(capacity: max(capacity, 64))
        self.capacity = max(capacity, 64)
    }

    deinit { base.deallocate() }

    /// What was written. Valid until the next append.
    @inlinable
    public var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: _count) }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Empties it; gives memory back when it had grown past `keeping` bytes.
    public mutating func reset(keeping: Int = 1 << 18) {
        _count = 0
        if capacity > keeping {
            base.deallocate()
            base = .allocate(capacity: keeping)
            capacity = keeping
        }
    }

    /// Drops what was written after `length`.
    @inlinable
    public mutating func truncate(to length: Int) { _count = min(_count, length) }

    @inlinable
    public mutating func reserve(_ extra: Int) {
        if _count &+ extra > capacity { grow(extra) }
    }

    @usableFromInline
    mutating func grow(_ extra: Int) {
        let wanted = max(capacity * 2, _count + extra)
        let bigger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted)
        bigger.update(from: base, count: _count)
        base.deallocate()
        base = bigger
        capacity = wanted
    }

    @inlinable
    public mutating func append(byte: UInt8) {
        reserve(1)
        base[_count] = byte
        _count &+= 1
    }

    @inlinable
    public mutating func append(_ word: StaticString) {
        append(UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    @inlinable
    public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        Self.copy(start, bytes.count, to: base + _count)
        _count &+= bytes.count
    }

    /// Copies a few bytes, as names and most values are, without the call that costs more than they do: by two words that
    /// may overlap.
    @inlinable
    @inline(__always)
    static func copy(_ source: UnsafePointer<UInt8>, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
        let from = UnsafeRawPointer(source)
        let to = UnsafeMutableRawPointer(target)
        switch count {
        case 17...: memcpy(to, from, count)
        case 8...:
            let (first, last) = (from.loadUnaligned(as: UInt64.self), (from + count - 8).loadUnaligned(as: UInt64.self))
            to.storeBytes(of: first, as: UInt64.self)
            (to + count - 8).storeBytes(of: last, as: UInt64.self)
        case 4...:
            let (first, last) = (from.loadUnaligned(as: UInt32.self), (from + count - 4).loadUnaligned(as: UInt32.self))
            to.storeBytes(of: first, as: UInt32.self)
            (to + count - 4).storeBytes(of: last, as: UInt32.self)
        default: for index in 0..<count { target[index] = source[index] }
        }
    }

    @inlinable
    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    @inlinable
    public mutating func append(text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    @inlinable
    public mutating func append(integer value: Int64) {
        reserve(20)
        if value < 0 {
            base[_count] = 0x2D
            _count &+= 1
        }
        var rest = value.magnitude
        var digits = 1
        var probe = rest
        while probe >= 10 {
            probe /= 10
            digits &+= 1
        }
        var index = _count &+ digits &- 1
        while index >= _count {
            base[index] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
            index &-= 1
        }
        _count &+= digits
    }

    /// A finite number in its shortest form that reads back the same; whole ones without a point.
    public mutating func append(number value: Double) {
        if value.magnitude < 0x1p53, value == value.rounded(.towardZero) {
            append(integer: Int64(value))
        } else {
            append(text: value.description)
        }
    }

    /// The same with a point in whole ones too, as SQLite prints them: tools that guess a column's type from the rows that
    /// come first would take `6` for an integer, and `6.5` later for a fault.
    public mutating func append(decimal value: Double) {
        append(number: value)
        if value.magnitude < 0x1p53, value == value.rounded(.towardZero) { append(text: ".0") }
    }

    @inlinable
    public mutating func append(time: Timestamp) {
        reserve(29)
        base[_count] = 0x22
        time.write(to: base + _count + 1)
        base[_count &+ 28] = 0x22
        _count &+= 29
    }

    /// The 26 characters.
    @inlinable
    public mutating func append(ulid: ULID) {
        reserve(26)
        ulid.write(to: base + _count)
        _count &+= 26
    }

    /// `"cand_01…"`, quoted.
    @inlinable
    public mutating func append(quotedID ulid: ULID, prefix: StaticString) {
        append(byte: 0x22)
        append(prefix)
        append(ulid: ulid)
        append(byte: 0x22)
    }

    public mutating func append(quoted text: String) {
        var text = text
        text.withUTF8 { append(quoted: $0) }
    }

    /// A JSON string (RFC 8259): control characters, quotes and backslashes are escaped; the text is UTF-8 already.
    @inlinable
    public mutating func append(quoted text: UnsafeBufferPointer<UInt8>) {
        reserve(text.count &+ 2)
        base[_count] = 0x22
        _count &+= 1
        if let start = text.baseAddress {
            let clean = Self.cleanPrefix(start, text.count, stop: 0x5C)
            Self.copy(start, clean, to: base + _count)
            _count &+= clean
            if clean < text.count { appendEscaping(UnsafeBufferPointer(rebasing: text[clean...])) }
        }
        append(byte: 0x22)
    }

    /// A text of which it is known that nothing in it is escaped.
    @inlinable
    public mutating func append(clean text: UnsafeBufferPointer<UInt8>) {
        reserve(text.count &+ 2)
        base[_count] = 0x22
        if let start = text.baseAddress { Self.copy(start, text.count, to: base + _count + 1) }
        _count &+= text.count &+ 2
        base[_count &- 1] = 0x22
    }

    /// How many bytes from the start are no control character, no quote and not `stop`: eight at a time, by the usual test
    /// for a byte below a bound.
    @inlinable
    @inline(__always)
    static func cleanPrefix(_ start: UnsafePointer<UInt8>, _ count: Int, stop: UInt8) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var index = 0
        while index &+ 8 <= count {
            let word = UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)
            let control = (word &- ones &* 0x20) & ~word
            let quote = word ^ (ones &* 0x22)
            let other = word ^ (ones &* UInt64(stop))
            let found = control | ((quote &- ones) & ~quote) | ((other &- ones) & ~other)
            if found & highs != 0 { break }
            index &+= 8
        }
        while index < count {
            let byte = start[index]
            if byte < 0x20 || byte == 0x22 || byte == stop { break }
            index &+= 1
        }
        return index
    }

    @usableFromInline
    mutating func appendEscaping(_ text: UnsafeBufferPointer<UInt8>) {
        var rest = text
        while let start = rest.baseAddress, !rest.isEmpty {
            let clean = Self.cleanPrefix(start, rest.count, stop: 0x5C)
            append(UnsafeBufferPointer(start: start, count: clean))
            guard clean < rest.count else { return }
            escape(rest[clean])
            rest = UnsafeBufferPointer(rebasing: rest[(clean + 1)...])
        }
    }

    private mutating func escape(_ byte: UInt8) {
        append(byte: 0x5C)
        switch byte {
        case 0x22, 0x5C: append(byte: byte)
        case 0x0A: append(byte: UInt8(ascii: "n"))
        case 0x0D: append(byte: UInt8(ascii: "r"))
        case 0x09: append(byte: UInt8(ascii: "t"))
        default:
            append("u00")
            append(byte: 48 + (byte >> 4))
            append(byte: byte & 15 < 10 ? 48 + (byte & 15) : 87 + (byte & 15))
        }
    }
}
