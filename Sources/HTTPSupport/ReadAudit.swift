import Domain
import Synchronization

/// Gathers whose personal data was given to whom until somebody stores it, so that no request waits for that.
public final class ReadAudit: Sendable {
    /// Whom one answer tells of. The same object for each repeat of the same answer, so that a page that is polled again and
    /// again costs no more than a count.
    public final class People: Sendable {
        public let candidates: [ULID]
        public init(_ candidates: [ULID]) { self.candidates = candidates }
    }

    private struct Gathered {
        var requests = 0
        var first: Timestamp
        var last: Timestamp
        var people: [ObjectIdentifier: People] = [:]
        /// What was joined already, sorted.
        var joined: [ULID] = []
        /// Ids in `people`.
        var loose = 0

        mutating func join() {
            joined = (joined + people.values.flatMap(\.candidates)).sortedOnce
            people = [:]
            loose = 0
        }
    }

    /// Ids that a thread gathers before it sorts them: so much memory at most, 16 bytes each.
    private static let mostLoose = 1 << 16
    private let shards = ThreadShards<[PersonalRead.Way: Gathered]> { [:] }
    /// Ids that came with large answers since the last time that somebody took them.
    private let fromLarge = Atomic<Int>(0)
    /// An answer with so many people is a large one: exports' pieces are, most pages are not.
    private static let large = 200

    public init() {}

    /// So much was gathered that it should be stored at once: half a megabyte of ids.
    public var isLarge: Bool { fromLarge.load(ordering: .relaxed) > 1 << 15 }

    /// So much waits that a long answer should wait too until it is stored: 2 MB of ids, of which there are copies while
    /// they are sorted and written.
    public var isFull: Bool { fromLarge.load(ordering: .relaxed) > 1 << 17 }

    public func note(_ people: People, by way: PersonalRead.Way, at time: Timestamp) {
        guard !people.candidates.isEmpty else { return }
        if people.candidates.count >= Self.large { fromLarge.wrappingAdd(people.candidates.count, ordering: .relaxed) }
        shards.withLock { all in
            var gathered = all.removeValue(forKey: way) ?? Gathered(first: time, last: time)
            gathered.requests += 1
            gathered.last = max(gathered.last, time)
            if gathered.people.updateValue(people, forKey: ObjectIdentifier(people)) == nil {
                gathered.loose += people.candidates.count
                if gathered.loose > Self.mostLoose { gathered.join() }
            }
            all[way] = gathered
        }
    }

    /// Gives back what could not be stored.
    public func putBack(_ reads: [PersonalRead]) {
        shards.withLock { all in
            for read in reads {
                var gathered = all.removeValue(forKey: read.way) ?? Gathered(first: read.first, last: read.last)
                gathered.requests += read.requests
                gathered.first = min(gathered.first, read.first)
                gathered.joined = (gathered.joined + read.candidates).sortedOnce
                all[read.way] = gathered
            }
        }
    }

    /// What was gathered since the last time.
    public func take() -> [PersonalRead] {
        fromLarge.store(0, ordering: .relaxed)
        var taken: [[PersonalRead.Way: Gathered]] = []
        shards.forEach { all in
            taken.append(all)
            all = [:]
        }
        var reads: [PersonalRead.Way: PersonalRead] = [:]
        for (way, gathered) in taken.joined() {
            var gathered = gathered
            gathered.join()
            var read =
                reads[way] ?? PersonalRead(way: way, requests: 0, first: gathered.first, last: gathered.last, candidates: [])
            read.requests += gathered.requests
            read.first = min(read.first, gathered.first)
            read.last = max(read.last, gathered.last)
            read.candidates = read.candidates.isEmpty ? gathered.joined : (read.candidates + gathered.joined).sortedOnce
            reads[way] = read
        }
        return reads.values.sorted { $0.first < $1.first }
    }
}

extension [ULID] {
    fileprivate var sortedOnce: [ULID] {
        var out: [ULID] = []
        out.reserveCapacity(count)
        for id in sorted() where id != out.last { out.append(id) }
        return out
    }
}
