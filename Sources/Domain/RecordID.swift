/// The kinds of record that an organization holds.
///
/// The raw value is stored; never renumber one.
public enum RecordKind: UInt8, CaseIterable, Sendable, Hashable, Codable {
    case candidate = 1
    case job = 2
    case application = 3
    case interview = 4
    case match = 5
    case call = 6
    case training = 7
    case broadcast = 8

    /// Its place among all kinds, from 0.
    public var index: Int { Int(rawValue) - 1 }

    /// The word for one record: `candidate`.
    public var singular: String {
        switch self {
        case .candidate: "candidate"
        case .job: "job"
        case .application: "application"
        case .interview: "interview"
        case .match: "match"
        case .call: "call"
        case .training: "training"
        case .broadcast: "broadcast"
        }
    }

    /// The word for many: `candidates`; a path segment and the argument of `import`.
    public var plural: String { self == .match ? "matches" : singular + "s" }

    /// What ids of this kind start with, without the underscore.
    public var prefix: String {
        switch self {
        case .candidate: "cand"
        case .job: "job"
        case .application: "app"
        case .interview: "int"
        case .match: "match"
        case .call: "call"
        case .training: "trn"
        case .broadcast: "bc"
        }
    }

    /// Reads the singular or the plural word.
    public init?(word: some StringProtocol) {
        guard let kind = Self.allCases.first(where: { $0.singular == word || $0.plural == word }) else { return nil }
        self = kind
    }
}

/// 128 bits: 48 of Unix milliseconds, 80 of chance, so that ids sort by the time they were made.
///
/// Source: the ULID specification (github.com/ulid/spec).
public struct ULID: Hashable, Sendable, Comparable, Codable {
    public let high: UInt64
    public let low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter milliseconds: Unix time; the low 48 bits are used.
    public init(milliseconds: UInt64, random: (UInt16, UInt64)) {
        high = (milliseconds << 16) | UInt64(random.0)
        low = random.1
    }

    public static func < (left: ULID, right: ULID) -> Bool {
        // One comparison and no branch: the audit sorts millions.
        UInt128(_low: left.low, _high: left.high) < UInt128(_low: right.low, _high: right.high)
    }

    /// The 26 characters of Crockford's base 32, upper case as written here; lower case is read too.
    ///
    /// Nil for any other length, alphabet, or a value over 128 bits.
    public init?(text: some Sequence<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0
        for byte in text {
            let digit = Self.digits[Int(byte)]
            guard digit < 32, count < 26, count > 0 || digit < 8 else { return nil }
            high = (high << 5) | (low >> 59)
            low = (low << 5) | UInt64(digit)
            count += 1
        }
        guard count == 26 else { return nil }
        self.init(high: high, low: low)
    }

    /// Writes the 26 characters to `destination`.
    @inlinable
    public func write(to destination: UnsafeMutablePointer<UInt8>) {
        let letters = Self.alphabet.utf8Start
        var high = high
        var low = low
        var index = 25
        while index >= 0 {
            destination[index] = letters[Int(truncatingIfNeeded: low & 31)]
            low = (low &>> 5) | (high &<< 59)
            high &>>= 5
            index &-= 1
        }
    }

    /// 0 to 9, then A to Z without I, L, O and U.
    @inlinable
    static var alphabet: StaticString { "0123456789ABCDEFGHJKMNPQRSTVWXYZ" }

    private static let digits: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for digit in 0..<32 {
            let letter = alphabet.utf8Start[digit]
            table[Int(letter)] = UInt8(digit)
            if letter >= 65 { table[Int(letter) + 32] = UInt8(digit) }
        }
        return table
    }()

    public var text: String {
        String(unsafeUninitializedCapacity: 26) { buffer in
            write(to: buffer.baseAddress!)
            return 26
        }
    }
}

/// A typed id: a kind and a ULID, written `cand_01J…`.
public struct RecordID: Hashable, Sendable, CustomStringConvertible {
    public let kind: RecordKind
    public let ulid: ULID

    @inlinable
    public init(kind: RecordKind, ulid: ULID) {
        self.kind = kind
        self.ulid = ulid
    }

    /// Reads the printed form. Nil when it is no id of `kind`.
    public init?(_ text: some StringProtocol, kind: RecordKind) {
        guard let ulid = ULID(text: text, prefix: kind.prefix) else { return nil }
        self.init(kind: kind, ulid: ulid)
    }

    public var description: String { kind.prefix + "_" + ulid.text }
}

extension ByteWriter {
    /// `"cand_01…"`, quoted.
    public mutating func append(_ id: RecordID) {
        append(byte: 0x22)
        append(text: id.kind.prefix)
        append(byte: 0x5F)
        append(ulid: id.ulid)
        append(byte: 0x22)
    }
}

extension ULID {
    /// Reads `prefix_` and 26 characters.
    public init?(text: some StringProtocol, prefix: String) {
        let bytes = text.utf8
        guard bytes.count == prefix.utf8.count + 27, text.hasPrefix(prefix) else { return nil }
        let rest = bytes.dropFirst(prefix.utf8.count)
        guard rest.first == UInt8(ascii: "_") else { return nil }
        self.init(text: rest.dropFirst())
    }
}

/// A ULID that says what it is the id of: `prefix_` and 26 characters.
public protocol PrefixedID: Hashable, Sendable, CustomStringConvertible {
    static var prefix: String { get }
    var ulid: ULID { get }
    init(_ ulid: ULID)
}

extension PrefixedID {
    /// Reads the printed form. Nil when it is none.
    public init?(_ text: some StringProtocol) {
        guard let ulid = ULID(text: text, prefix: Self.prefix) else { return nil }
        self.init(ulid)
    }

    public var description: String { Self.prefix + "_" + ulid.text }
}

/// The id of an event, written `evt_…`.
public struct EventID: PrefixedID {
    public static let prefix = "evt"
    public let ulid: ULID
    public init(_ ulid: ULID) { self.ulid = ulid }
}

/// A tenant, by the small number that the store gave it. Nothing crosses from one to another.
public struct OrganizationNumber: Hashable, Sendable {
    public let value: Int64
    public init(_ value: Int64) { self.value = value }
}
