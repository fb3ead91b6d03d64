/// Notices when the wall clock is set, by what it and the monotonic clock say.
public struct ClockWatch: Sendable {
    /// In microseconds; a clock that is slewed gains or loses less between two looks.
    public static let tolerance: Int64 = 2_000_000

    /// By how many microseconds it was set, and what it would say now otherwise, until ``forget()``; nil when it was not.
    public private(set) var jump: (by: Int64, from: Timestamp)?
    private var wall: Timestamp
    /// Milliseconds, at the last look.
    public private(set) var monotonic: UInt64

    /// - Parameter monotonic: milliseconds.
    public init(wall: Timestamp, monotonic: UInt64) {
        self.wall = wall
        self.monotonic = monotonic
    }

    public mutating func look(wall now: Timestamp, monotonic later: UInt64) {
        let expected = Timestamp(microseconds: wall.microseconds + Int64(later - monotonic) * 1_000)
        wall = now
        monotonic = later
        let by = now.microseconds - expected.microseconds
        guard jump != nil || abs(by) > Self.tolerance else { return }
        let total = (jump?.by ?? 0) + by
        jump = (total, Timestamp(microseconds: now.microseconds - total))
    }

    public mutating func forget() { jump = nil }

    /// What the wall clock as it is set now would have said at an earlier moment, of which it said `then`.
    public func today(_ then: Timestamp, monotonic earlier: UInt64) -> Timestamp {
        let passed = (Int64(monotonic) - Int64(earlier)) * 1_000
        let today = Timestamp(microseconds: wall.microseconds - passed)
        return abs(today.microseconds - then.microseconds) > Self.tolerance ? today : then
    }
}

/// Tells what is older than an age, though the wall clock is set meanwhile: what happened before it was set forward has the
/// old time, and is not made older by that. Where it is set back, things only seem younger than they are.
public struct AgingClock: Sendable {
    private var watch: ClockWatch
    /// When the clock was set forward, by its time before, and by how many microseconds.
    private var jumps: [(at: Timestamp, by: Int64)] = []

    /// - Parameter monotonic: milliseconds.
    public init(wall: Timestamp, monotonic: UInt64) { watch = ClockWatch(wall: wall, monotonic: monotonic) }

    public mutating func look(wall now: Timestamp, monotonic: UInt64) {
        watch.look(wall: now, monotonic: monotonic)
        guard var (by, from) = watch.jump else { return }
        watch.forget()
        // A clock that is set back takes back what it was set forward by, the last first.
        while by < 0, let last = jumps.popLast() {
            by += last.by
            from = last.at
        }
        if by > 0 { jumps.append((from, by)) }
    }

    /// What has a time before this one is older than the age, in microseconds.
    public func moment(before now: Timestamp, by age: Int64) -> Timestamp {
        var ahead = jumps.reduce(0) { $0 + $1.by }
        for jump in jumps {
            let moment = Timestamp(microseconds: now.microseconds - ahead - age)
            // Something from before it was set may be younger still, and nothing from after is older.
            if moment < jump.at { return moment }
            ahead -= jump.by
        }
        return Timestamp(microseconds: now.microseconds - age)
    }
}
