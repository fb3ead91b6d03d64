import Foundation
import Testing

@testable import Webhooks

@Suite("What the dispatcher's thread sleeps by")
struct AlarmTests {
    private func time(_ body: () -> Void) -> Duration { ContinuousClock().measure(body) }

    @Test("It rings once for whoever waits, also for who comes later, and a wait ends by itself")
    func rings() {
        let alarm = Alarm()
        alarm.ring()
        alarm.ring()
        #expect(time { alarm.wait(milliseconds: 60_000) } < .seconds(30))
        let empty = time { alarm.wait(milliseconds: 50) }
        #expect(empty >= .milliseconds(50) && empty < .seconds(30))
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.05)
            alarm.ring()
        }
        #expect(time { alarm.wait(milliseconds: 60_000) } < .seconds(30))
    }
}
