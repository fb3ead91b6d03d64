import Domain
import OutboundHTTP
import SQLiteStorage
import Testing
import Webhooks

@testable import hirewire

@Suite struct WordsTests {
    @Test(arguments: [("15s", 15_000), ("2m", 120_000), ("6h", 21_600_000), ("7d", 604_800_000), ("0s", 0)])
    func aLengthOfTimeIsReadInItsUnit(text: String, milliseconds: Int64) throws {
        #expect(try Words.milliseconds(text, option: "--timeout") == milliseconds)
    }

    @Test(arguments: ["", "15", "s", "-1s", "1.5h", "2 m", "10ms", "2m,3m"])
    func anythingElseIsRefused(text: String) {
        #expect(throws: (any Error).self) { try Words.milliseconds(text, option: "--timeout") }
    }

    @Test(arguments: [
        (0, "0s"), (500, "500ms"), (15_000, "15s"), (90_000, "90s"), (120_000, "2m"), (21_600_000, "6h"), (86_400_000, "24h"),
        (172_800_000, "2d"),
    ])
    func aLengthOfTimeIsWrittenAsItIsGiven(milliseconds: Int64, text: String) {
        #expect(Span.text(milliseconds: Int64(milliseconds)) == text)
    }

    @Test func momentsAreTimesDatesOrHowLongAgo() throws {
        let now = SystemTime().now
        let ago = try #require(try Words.moment("6h", option: "--since"))
        #expect(abs(now.milliseconds(since: ago) - 21_600_000) < 60_000)
        #expect(try Words.moment("2026-01-31", option: "--since") == Timestamp(year: 2026, month: 1, day: 31))
        #expect(try Words.moment("2026-01-31T01:00:00+01:00", option: "--since") == Timestamp(year: 2026, month: 1, day: 31))
        #expect(try Words.moment(nil, option: "--since") == nil)
        #expect(throws: (any Error).self) { try Words.moment("yesterday", option: "--since") }
    }

    @Test func unknownWordsAreRefusedWithWhatWasMeant() throws {
        let types: [EventType] = try Words.list("candidate.created, job.status_changed", option: "--events")
        #expect(types == [.candidateCreated, .jobStatusChanged])
        let error = #expect(throws: (any Error).self) { () -> [EventType] in try Words.list("candidate.create", option: "--events") }
        #expect(error.map { "\($0)" }?.contains("did you mean 'candidate.created'?") == true)
    }

    @Test(arguments: [
        ("whsec_ab+/=", "whsec_ab+/="), ("two words", "'two words'"), ("it's", #"'it'\''s'"#), ("", "''"), ("$(x)", "'$(x)'"),
    ])
    func wordsAreQuotedForAShell(word: String, quoted: String) {
        #expect(Words.quoted(word) == quoted)
    }

    @Test(arguments: [
        ("https://example.com/", [String]()),
        ("http://example.com/", ["--webhook-allow-http"]),
        ("http://127.0.0.1:9000/", ["--webhook-allow-http", "--webhook-allow-cidr 127.0.0.0/8"]),
        ("https://localhost/", ["--webhook-allow-cidr 127.0.0.0/8"]),
        ("https://10.1.2.3/x", ["--webhook-allow-cidr 10.1.2.3/32"]),
        ("https://[::1]:8443/", ["--webhook-allow-cidr ::1/128"]),
        ("https://[fd00::7]/", ["--webhook-allow-cidr fd00::7/128"]),
        ("https://0x7f.1/", ["--webhook-allow-cidr 127.0.0.0/8"]),
    ])
    func aURLTellsWhichFlagsItNeeds(url: String, flags: [String]) throws {
        #expect(WebhookDesk.neededFlags(for: try WebhookURL(url)) == flags)
    }

    @Test func aQueryIsHiddenInLists() {
        func shown(_ url: String) -> String {
            Endpoint(
                id: EndpointID(ULID(high: 0, low: 0)), organization: OrganizationNumber(1), url: url, dialect: .standard,
                createdAt: SystemTime().now
            ).shownURL
        }
        #expect(shown("https://example.com/a?token=x") == "https://example.com/a?…")
        #expect(shown("https://example.com/a") == "https://example.com/a")
    }

    @Test func nothingMovesTheCursorOfATerminal() {
        #expect(Terminal.plain("a\u{1B}[2Jb\u{9B}c\u{202E}d\ne") == "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\ne")
    }
}
