/// What an event's `data` says to those who may not read personal data: made from the whole when they ask, for most events
/// are never asked for by one of them, and a second text would be half of what an event takes up.
///
/// The text is ``EventDraft``'s own: compact, with the members that the records' schemas name. What is hidden follows the
/// same schemas as in ``RecordForm``.
public enum EventMask {
    /// Writes `data` with `null` for everything personal; `null` alone where it is not what ``EventDraft`` writes.
    ///
    /// - Parameter subject: the kind that the event tells of; nil for a test, which tells of nobody.
    public static func write(_ data: UnsafeBufferPointer<UInt8>, subject: RecordKind?, to out: inout ByteWriter) {
        guard let subject else { return out.append(data) }
        let start = out.count
        var scan = Scan(data)
        if scan.mask(Rule.ofData[subject.index], to: &out) { return }
        out.truncate(to: start)
        out.append("null")
    }

    static func masked(_ data: String, subject: RecordKind?) -> String {
        var data = data
        return data.withUTF8 { bytes in
            var out = ByteWriter(capacity: bytes.count + 64)
            write(bytes, subject: subject, to: &out)
            return out.text
        }
    }

    /// What becomes of the member of a name; others stay as they are.
    fileprivate struct Rule: Sendable {
        enum Action: Sendable {
            case hide
            /// Where it looks like an e-mail address.
            case hideAddress
            case hideAddressesInside
            case descend([Rule])
        }

        let name: [UInt8]
        let action: Action

        init(_ name: String, _ action: Action) {
            self.name = Array(name.utf8)
            self.action = action
        }

        /// By the kind of the subject.
        static let ofData: [[Rule]] = RecordKind.allCases.map { kind in
            let related = [RecordKind.candidate, .job].filter { kind.relates(to: $0) }
            return [Rule(kind.singular, .descend(of(kind, .detail)))] + related.map { Rule($0.singular, .descend(of($0, .brief))) }
        }

        private static func of(_ kind: RecordKind, _ projection: Projection) -> [Rule] {
            var rules = [Rule("external_id", .hideAddress)]
            let fields = projection.fields(of: kind).map { kind.schema.fields[$0] }
            for name in kind.schema.topLevelNames {
                let own = fields.filter { ($0.group ?? $0.name) == name }
                let hidden = own.filter { $0.privacy == .personal }
                if own.contains(where: { $0.privacy == .emailsInside }) {
                    rules.append(Rule(name, .hideAddressesInside))
                } else if !hidden.isEmpty {
                    rules.append(Rule(name, hidden.count == own.count ? .hide : .descend(hidden.map { Rule($0.member, .hide) })))
                }
            }
            return rules
        }
    }

    /// One pass over the text, which copies what stays in long runs.
    private struct Scan {
        private let bytes: UnsafeBufferPointer<UInt8>
        private var index = 0
        /// What lies before it has been copied, or hidden.
        private var copied = 0

        init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

        /// False when the text is another one than expected.
        mutating func mask(_ rules: [Rule], to out: inout ByteWriter) -> Bool {
            guard maskMembers(rules, to: &out), index == bytes.count else { return false }
            out.append(run(to: index))
            return true
        }

        private func run(to end: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(rebasing: bytes[copied..<end]) }

        private var byte: UInt8 { index < bytes.count ? bytes[index] : 0 }

        private mutating func take(_ expected: Character) -> Bool {
            guard byte == expected.asciiValue else { return false }
            index += 1
            return true
        }

        private mutating func maskMembers(_ rules: [Rule], to out: inout ByteWriter) -> Bool {
            guard take("{") else { return false }
            if take("}") { return true }
            repeat {
                let start = index + 1
                guard skipString() else { return false }
                let name = UnsafeBufferPointer(rebasing: bytes[start..<(index - 1)])
                guard take(":") else { return false }
                let rule = rules.first { $0.name.count == name.count && $0.name.elementsEqual(name) }
                guard maskValue(rule?.action, to: &out) else { return false }
            } while take(",")
            return take("}")
        }

        private mutating func maskValue(_ action: Rule.Action?, to out: inout ByteWriter) -> Bool {
            if case .descend(let rules) = action, byte == UInt8(ascii: "{") { return maskMembers(rules, to: &out) }
            let start = index
            guard skipValue() else { return false }
            let value = UnsafeBufferPointer(rebasing: bytes[start..<index])
            switch action {
            case nil, .descend: return true
            case .hideAddress where !value.contains(UInt8(ascii: "@")): return true
            case .hideAddress, .hide:
                out.append(run(to: start))
                out.append("null")
            case .hideAddressesInside:
                out.append(run(to: start))
                RecordForm.writePeople(value, to: &out)
            }
            copied = index
            return true
        }

        private mutating func skipString() -> Bool {
            guard take("\""), let base = bytes.baseAddress else { return false }
            while index < bytes.count {
                index += ByteWriter.cleanPrefix(base + index, bytes.count - index, stop: UInt8(ascii: "\\"))
                switch byte {
                case UInt8(ascii: "\""):
                    index += 1
                    return true
                case UInt8(ascii: "\\"): index += 2
                default: return false
                }
            }
            return false
        }

        private mutating func skipValue() -> Bool {
            var depth = 0
            let start = index
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "\""):
                    guard skipString() else { return false }
                    if depth == 0 { return true }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return index > start }
                    depth -= 1
                    if depth == 0 {
                        index += 1
                        return true
                    }
                case UInt8(ascii: ",") where depth == 0: return index > start
                default: break
                }
                index += 1
            }
            return false
        }
    }
}

extension Record {
    /// Whether there is anything in it that ``EventMask`` may hide.
    func holdsPersonal(_ projection: Projection) -> Bool {
        if let externalID, externalID.utf8.contains(UInt8(ascii: "@")) { return true }
        let fields = kind.schema.fields
        return projection.fields(of: kind).contains { index in
            switch (fields[index].privacy, values[index]) {
            case (.open, _), (_, .null): return false
            case (.emailsInside, .json(var people)):
                return people.withUTF8 { people in
                    var shown = ByteWriter(capacity: people.count + 64)
                    RecordForm.writePeople(people, to: &shown)
                    return !shown.bytes.elementsEqual(people)
                }
            default: return true
            }
        }
    }
}
