import Testing

@testable import Domain

@Suite("What is older than an age, though the wall clock is set")
struct AgingClockTests {
    private static let (second, hour, day): (Int64, Int64, Int64) = (1_000_000, 3_600_000_000, 86_400_000_000)
    private static let start: Int64 = 1_800_000_000_000_000

    /// A wall clock that somebody sets, in microseconds, and how long all this has taken.
    private struct Clock {
        var offset: Int64 = 0
        var elapsed: Int64 = 0
        var aging = AgingClock(wall: Timestamp(microseconds: start), monotonic: 0)
        var now: Int64 { start + elapsed + offset }

        mutating func pass(_ time: Int64) {
            elapsed += time
            aging.look(wall: Timestamp(microseconds: now), monotonic: UInt64(elapsed / 1_000))
        }

        mutating func set(by: Int64) {
            offset += by
            pass(0)
        }

        func isOlder(_ moment: Int64, than age: Int64) -> Bool {
            Timestamp(microseconds: moment) < aging.moment(before: Timestamp(microseconds: now), by: age)
        }
    }

    @Test("While nobody sets the clock, age is what it says")
    func undisturbed() {
        var clock = Clock()
        let begun = clock.now
        clock.pass(Self.hour)
        #expect(!clock.isOlder(begun, than: Self.hour))
        clock.pass(Self.second)
        #expect(clock.isOlder(begun, than: Self.hour))
    }

    @Test("A clock that is set forward makes nothing older, and what comes after has an age of its own", arguments: [hour, day, 400 * day])
    func forward(by: Int64) {
        var clock = Clock()
        let old = clock.now
        clock.pass(10 * Self.second)
        clock.set(by: by)
        let new = clock.now
        #expect(!clock.isOlder(old, than: Self.hour))
        clock.pass(Self.hour - 10 * Self.second)
        #expect(!clock.isOlder(old, than: Self.hour))
        clock.pass(Self.second)
        #expect(clock.isOlder(old, than: Self.hour), "in its own time")
        #expect(!clock.isOlder(new, than: Self.hour))
        clock.pass(10 * Self.second)
        #expect(clock.isOlder(new, than: Self.hour))
    }

    @Test("A clock that is set back makes nothing older; set forward and back, it is as if nobody had touched it")
    func back() {
        var clock = Clock()
        let old = clock.now
        clock.set(by: -Self.day)
        clock.pass(2 * Self.hour)
        #expect(!clock.isOlder(old, than: Self.hour), "it seems to be still to come")
        clock.set(by: Self.day)
        clock.set(by: -Self.day)
        clock.set(by: Self.day)
        clock.pass(Self.second)
        #expect(!clock.isOlder(old, than: 3 * Self.hour))

        clock = Clock()
        let first = clock.now
        clock.set(by: Self.day)
        clock.pass(Self.hour)
        clock.set(by: -Self.day)
        #expect(!clock.isOlder(first, than: Self.hour))
        clock.pass(Self.second)
        #expect(clock.isOlder(first, than: Self.hour))
    }

    @Test("Set forward again and again, each thing keeps the age that it has")
    func again() {
        var clock = Clock()
        var begun: [(moment: Int64, at: Int64)] = []
        for _ in 0..<5 {
            begun.append((clock.now, clock.elapsed))
            clock.pass(600 * Self.second)
            clock.set(by: Self.day)
        }
        for _ in 0..<60 {
            clock.pass(60 * Self.second)
            for thing in begun where clock.isOlder(thing.moment, than: Self.hour) {
                #expect(clock.elapsed - thing.at > Self.hour, "never early")
            }
        }
        clock.pass(Self.hour)
        for thing in begun { #expect(clock.isOlder(thing.moment, than: Self.hour), "and never left behind") }
    }
}
