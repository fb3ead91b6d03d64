import Domain
import Synchronization

/// How old things are, for what goes by age: the retentions and the expiry of interviews.
final class Ages: Sendable {
    private let time: any TimeSource
    private let begin = ContinuousClock.now
    private let clock: Mutex<AgingClock>

    init(_ time: any TimeSource) {
        self.time = time
        clock = Mutex(AgingClock(wall: time.now, monotonic: 0))
    }

    /// What has a time before this one is older than so many seconds.
    func moment(ago seconds: Int) -> Timestamp {
        clock.withLock { clock in
            let (elapsed, now) = ((ContinuousClock.now - begin).components, time.now)
            clock.look(wall: now, monotonic: UInt64(elapsed.seconds) * 1_000 + UInt64(elapsed.attoseconds / 1_000_000_000_000_000))
            return clock.moment(before: now, by: Int64(seconds) * 1_000_000)
        }
    }
}
