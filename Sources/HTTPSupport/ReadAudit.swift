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
        /// Those of answers that are given again and again.
        var people: [ObjectIdentifier: People] = [:]
        /// All others, as they came.
        var loose: [ULID] = []
        /// What was joined already, sorted.
        var joined: [ULID] = []

        mutating func add(_ candidates: [ULID], at time: Timestamp) {
            count(time)
            loose += candidates
            if loose.count > ReadAudit.mostLoose { join() }
        }

        mutating func add(_ given: People, at time: Timestamp) {
            count(time)
            people[ObjectIdentifier(given)] = given
            // As many answers are kept at most, and a few that were.
            if people.count > ReadAudit.mostRepeated { join() }
        }

        private mutating func count(_ time: Timestamp) {
            requests += 1
            last = max(last, time)
        }

        mutating func join() {
            for given in people.values { loose += given.candidates }
            joined = (joined + loose).sortedOnce
            people = [:]
            loose = []
        }
    }

    /// Ids that a thread gathers of one way before it sorts them: so much memory at most, 16 bytes each.
    private static let mostLoose = 1 << 16
    private static let mostRepeated = 1_024
    private let shards = ThreadShards<[PersonalRead.Way: Gathered]> { [:] }
    /// Ids that came since the last time that somebody took them.
    private let waiting = Atomic<Int>(0)

    public init() {}

    /// So much was gathered that it should be stored at once: 2 MB of ids, of which there are copies while they are sorted
    /// and written.
    public var isLarge: Bool { waiting.load(ordering: .relaxed) > 1 << 17 }

    /// So much waits that a long answer should wait too until it is stored.
    public var isFull: Bool { waiting.load(ordering: .relaxed) > 1 << 18 }

    public func note(_ candidates: [ULID], by way: PersonalRead.Way, at time: Timestamp) {
        guard !candidates.isEmpty else { return }
        waiting.wrappingAdd(candidates.count, ordering: .relaxed)
        shards.withLock { all in
            all[way, default: Gathered(first: time, last: time)].add(candidates, at: time)
        }
    }

    /// Notes an answer that was given before and is given again.
    public func note(_ people: People, by way: PersonalRead.Way, at time: Timestamp) {
        guard !people.candidates.isEmpty else { return }
        shards.withLock { all in
            all[way, default: Gathered(first: time, last: time)].add(people, at: time)
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
        waiting.store(0, ordering: .relaxed)
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
