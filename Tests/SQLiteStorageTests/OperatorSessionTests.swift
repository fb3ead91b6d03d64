import Domain
import SQLiteStorage
import Testing

@Suite struct OperatorSessionTests {
    private let bench: OutboxBench
    private let token: OperatorToken
    private let hash = [UInt8](repeating: 7, count: 32)
    private var database: Database { bench.database }
    private var organization: OrganizationNumber { bench.bench.organization.number }

    init() throws {
        bench = try OutboxBench()
        var random = SystemRandomNumberGenerator()
        token = OperatorToken(using: &random)
        try bench.database.setOperatorToken(token)
    }

    private func begin(_ text: String? = nil, seconds: Int64 = 60) throws -> Bool {
        try database.beginSession(
            hash, token: text ?? token.text, organization: organization, until: database.now.adding(milliseconds: seconds * 1_000))
    }

    @Test func aSessionBeginsWithTheTokenAloneAndEndsWithIt() throws {
        #expect(try !begin("hwop_wrong") && database.session(hash) == nil)
        #expect(try begin())
        #expect(try database.session(hash)?.organization == organization)

        // when
        var random = SystemRandomNumberGenerator()
        try database.setOperatorToken(OperatorToken(using: &random))

        // then
        #expect(try database.session(hash) == nil)
        #expect(try !begin())
    }

    @Test func aSessionIsOverWhenItsTimeIs() throws {
        #expect(try begin(seconds: 0))
        #expect(try database.session(hash) == nil)
    }

    @Test func aSessionGoesFromOneOrganizationToAnother() throws {
        // given
        #expect(try begin())
        let other = try database.addOrganization(name: "other")

        // when
        try database.switchSession(hash, to: other.number)

        // then
        #expect(try database.session(hash)?.organization == other.number)
        try database.endSession(hash)
        #expect(try database.session(hash) == nil)
    }

    @Test func aFormIsUsedOnceForLongerThanASessionLasts() throws {
        let (one, other) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
        #expect(try database.useForm(one) && !database.useForm(one) && database.useForm(other))
        bench.clock.move(by: 13 * 3_600_000_000)
        #expect(try !database.useForm(one))
    }

    @Test func whatHappenedIsAddedUpByTheMinuteAndForgottenAfterAWeek() throws {
        // given
        let (ok, refused) = (ActivityLabel(.request, "200"), ActivityLabel(.request, "429"))
        let start = database.now

        // when
        try database.add(activity: [ok: 2])
        try database.add(activity: [ok: 3, refused: 1])

        // then
        let counts = try database.activity(since: start.adding(milliseconds: -60_000))
        #expect(counts.filter { $0.label == ok }.reduce(0) { $0 + $1.count } == 5)
        #expect(counts.filter { $0.label == refused }.reduce(0) { $0 + $1.count } == 1)
        #expect(counts.allSatisfy { $0.minute >= start.minute })

        // when
        bench.clock.move(by: 8 * 86_400_000_000)
        try database.add(activity: [refused: 1])

        // then
        #expect(try database.activity(since: start.adding(milliseconds: -60_000)).map(\.label) == [refused])
    }
}
