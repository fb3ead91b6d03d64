import Domain

/// Notices when the wall clock is set, by what it and the monotonic clock say.
struct ClockWatch {
    /// In microseconds; a clock that is slewed gains or loses less between two looks.
    static let tolerance: Int64 = 2_000_000

    /// By how many microseconds it was set, and what it would say now otherwise, until ``forget()``; nil when it was not.
    private(set) var jump: (by: Int64, from: Timestamp)?
    private var wall: Timestamp
    /// Milliseconds, at the last look.
    private(set) var monotonic: UInt64

    /// - Parameter monotonic: milliseconds.
    init(wall: Timestamp, monotonic: UInt64) {
        self.wall = wall
        self.monotonic = monotonic
    }

    mutating func look(wall now: Timestamp, monotonic later: UInt64) {
        let expected = Timestamp(microseconds: wall.microseconds + Int64(later - monotonic) * 1_000)
        wall = now
        monotonic = later
        let by = now.microseconds - expected.microseconds
        guard jump != nil || abs(by) > Self.tolerance else { return }
        let total = (jump?.by ?? 0) + by
        jump = (total, Timestamp(microseconds: now.microseconds - total))
    }

    mutating func forget() { jump = nil }

    /// What the wall clock as it is set now would have said at an earlier moment, of which it said `then`.
    func today(_ then: Timestamp, monotonic earlier: UInt64) -> Timestamp {
        let passed = (Int64(monotonic) - Int64(earlier)) * 1_000
        let today = Timestamp(microseconds: wall.microseconds - passed)
        return abs(today.microseconds - then.microseconds) > Self.tolerance ? today : then
    }
}
