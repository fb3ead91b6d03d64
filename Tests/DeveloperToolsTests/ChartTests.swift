import Domain
import Testing

@testable import DeveloperTools

@Suite struct ChartTests {
    private let now = Timestamp(year: 2026, month: 1, day: 31, secondsOfDay: 36_000 + 1_830)

    private func counted(_ status: Int, minutesAgo: Int64, _ count: Int64) -> ActivityCount {
        ActivityCount(minute: now.minute - minutesAgo, label: ActivityLabel(.request, String(status)), count: count)
    }

    @Test func everyMinuteHasItsPlaceAndTheLastIsNow() {
        // given
        let activity = [counted(200, minutesAgo: 0, 3), counted(200, minutesAgo: 59, 5), counted(200, minutesAgo: 60, 7)]

        // when
        let counts = Chart.counts(activity, now: now, steps: 60, minutes: 1) { _ in true }

        // then
        #expect(counts.count == 60 && counts[59] == 3 && counts[0] == 5 && counts.reduce(0, +) == 8)
    }

    @Test func quartersEndWhereQuartersEnd() {
        // given: it is half past ten
        let activity = [counted(200, minutesAgo: 0, 1), counted(200, minutesAgo: 1, 2), counted(200, minutesAgo: 15, 4)]

        // when
        let counts = Chart.counts(activity, now: now, steps: 96, minutes: 15) { _ in true }

        // then
        #expect(counts.suffix(3) == [0, 6, 1])
    }

    @Test func requestsAreToldApartByStatusAndDrawnOnTopOfEachOther() throws {
        // given
        let activity = [counted(200, minutesAgo: 0, 90), counted(404, minutesAgo: 0, 9), counted(401, minutesAgo: 0, 1)]

        // when
        let chart = Chart.requests(activity, now: now, id: "requests", span: .hour)

        // then
        #expect(chart.series.map { $0.counts.reduce(0, +) } == [90, 10, 0])
        #expect(chart.series.map(\.parts) == ["200: 90", "401: 1, 404: 9", ""])
        let bars = try #require(chart.content["bars"] as? [[String: Any]])
        #expect(bars.map { $0["style"] as? String } == ["good", "warn"])
        let (good, refused) = (bars[0], bars[1])
        #expect(good["y"] as? String == "9.6" && refused["y"] as? String == "0.0" && good["x"] as? String == refused["x"] as? String)
        #expect(chart.content["words"] as? String == "Requests to the API, last hour: 90 successful, 10 refused, 0 failed")
    }
}
