import Domain
import Synchronization

/// What searches and filters found, by key, and where they looked: who asks the same again is given what was found and
/// what was written since. For a list that looks long and finds little: two words that never stand together, a filter
/// whose rows are far apart.
///
/// **It can't be stale.** A row's key is its place in the change order (``Schema``): what lies under a key is the same for
/// ever, or gone, and a new key comes after all others. So of the keys that were looked at, none matches later that did
/// not then; those that did are asked for by key, and may be gone. A snapshot from before the look is told nothing: a row
/// that moved in between was somewhere else in it.
///
/// That holds for conditions on the row alone (``ListPlanner/question``).
final class FoundKeys: Sendable {
    /// A look at all rows with keys between two.
    struct Look: Sendable, Equatable {
        /// The organization's change counter in the snapshot that was looked at. It holds for later ones.
        var counter: Int64
        /// Neither belongs to it.
        var low: Int64
        var high: Int64
        /// What matched, ascending.
        var keys: [Int64]

        /// What is known after a later look: both in one where they meet, else the later one alone.
        func joined(with later: Look) -> Look {
            if later.counter < counter { return self }
            guard later.low < high, low < later.high else { return later }
            let keys = keys.filter { $0 <= later.low } + later.keys + keys.filter { $0 >= later.high }
            if keys.count > FoundKeys.mostKeys { return later }
            return Look(counter: later.counter, low: min(low, later.low), high: max(high, later.high), keys: keys)
        }
    }

    /// As many as a page has at most.
    static let mostKeys = 1_000
    /// Bytes: longer ones are not remembered.
    static let longestQuestion = 4_096

    private struct Entry {
        var look: Look
        var used: UInt64
        var bytes: Int
    }

    private struct Entries {
        var all: [[UInt8]: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0

        /// Leaves the half that was used last.
        mutating func halve() {
            let uses = all.values.map(\.used).sorted()
            let middle = uses[uses.count / 2]
            all = all.filter { $0.value.used > middle }
            bytes = all.values.reduce(0) { $0 + $1.bytes }
        }
    }

    private let entries = Mutex(Entries())
    private let mostBytes: Int
    /// Nanoseconds: a look that took less is not worth remembering.
    let worth: UInt64

    init(bytes: Int = 2 << 20, worth: UInt64 = 1_000_000) {
        mostBytes = bytes
        self.worth = worth
    }

    /// - Parameter counter: the organization's change counter in the asking snapshot.
    func look(for question: [UInt8], counter: Int64) -> Look? {
        entries.withLock { entries in
            guard let look = entries.all[question]?.look, look.counter <= counter else { return nil }
            entries.clock += 1
            entries.all[question]?.used = entries.clock
            return look
        }
    }

    func note(_ look: Look, for question: [UInt8]) {
        entries.withLock { entries in
            let known = entries.all[question]
            let look = known.map { $0.look.joined(with: look) } ?? look
            entries.clock += 1
            // With what a dictionary and two arrays take.
            let entry = Entry(look: look, used: entries.clock, bytes: question.count + look.keys.count * 8 + 256)
            entries.bytes += entry.bytes - (known?.bytes ?? 0)
            entries.all[question] = entry
            if entries.bytes > mostBytes { entries.halve() }
        }
    }

    /// Leaves nothing.
    func forget() { entries.withLock { $0 = Entries() } }
}

extension ListPlanner {
    /// What is looked for and where, as bytes, for a list whose rows match by what they hold themselves and come in the
    /// change order; nil for any other. Bytes: texts that Swift takes for equal may be others to SQLite.
    var question: [UInt8]? {
        guard query.sort.isByChange, query.ids == nil, !query.includeDeleted else { return nil }
        for condition in query.conditions {
            switch condition {
            // Applications, and the best match, change without the row.
            case .appliedTo, .bestScore: return nil
            default: break
            }
        }
        let asked = tests() + (match.map { [SQLFragment($0.index, [$0.expression])] } ?? [])
        if asked.isEmpty { return nil }
        var out = [UInt8(truncatingIfNeeded: query.kind.rawValue)]
        out.append(organization.value)
        for fragment in asked {
            out.append(fragment.text)
            for value in fragment.values { out.append(value) }
        }
        return out.count <= FoundKeys.longestQuestion ? out : nil
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ integer: Int64) { Swift.withUnsafeBytes(of: integer) { append(contentsOf: $0) } }

    fileprivate mutating func append(_ text: String) {
        append(Int64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// The kind of value, and the value: no two lists of values have the same bytes.
    fileprivate mutating func append(_ value: SQLValue) {
        switch value {
        case .null: append(UInt8(0))
        case .integer(let integer):
            append(UInt8(1))
            append(integer)
        case .real(let real):
            append(UInt8(2))
            append(Int64(bitPattern: real.bitPattern))
        case .text(let text):
            append(UInt8(3))
            append(text)
        case .blob(let bytes), .utf8(let bytes):
            append(UInt8(4))
            append(Int64(bytes.count))
            append(contentsOf: bytes)
        case .ulid(let ulid):
            append(UInt8(5))
            append(Int64(bitPattern: ulid.high))
            append(Int64(bitPattern: ulid.low))
        }
    }
}
