import Domain
import Testing

@testable import hirewire

@Suite struct EventLineTests {
    private func line(_ type: String, _ data: String, subject: String = #"{"kind":"x","id":"x_1","version":1}"#) -> String {
        EventLine.text(
            #"{"id":"evt_1","type":"\#(type)","sequence":42,"created_at":"2026-01-31T09:00:00.123456Z","subject":\#(subject),"data":\#(data)}"#
        )
    }

    @Test func aLineHasTimeSequenceTypeSubjectAndFacts() {
        let data = #"{"candidate":{"full_name":"Ada Lovelace"},"from":"new","to":"screening","reason":null}"#
        #expect(
            line("candidate.status_changed", data)
                == "2026-01-31T09:00:00Z  42  candidate.status_changed  x_1  Ada Lovelace, new → screening")
    }

    @Test(arguments: [
        ("candidate.created", #"{"candidate":{"full_name":"Ada","status":"new","email":"ada@example.com"}}"#, "Ada, new"),
        (
            "candidate.matched", #"{"match":{"score":87.5},"candidate":{"full_name":"Ada"},"job":{"title":"Baker"}}"#,
            "Ada, Baker, score 87.5"
        ),
        ("candidate.deleted", #"{"candidate":{"id":"x_1"}}"#, "deleted"),
        ("job.status_changed", #"{"job":{"title":"Baker"},"from":null,"to":"open"}"#, "Baker, open"),
        (
            "interview.scheduled",
            #"{"interview":{"scheduled_at":"2026-02-01T00:00:00.000000Z"},"candidate":null,"job":null,"rescheduled_from":null}"#,
            "at 2026-02-01T00:00:00.000000Z"
        ),
        (
            "interview.completed",
            #"{"interview":{"result":{"overall_grade":81}},"candidate":{"full_name":"Ada"},"job":{"title":"Baker"}}"#,
            "Ada, Baker, grade 81"
        ),
        ("ai_call.completed", #"{"call":{"purpose":"screening","duration_seconds":132},"candidate":null}"#, "screening, 132 s"),
        ("call.uploaded", #"{"call":{"ai_score":40},"candidate":{"full_name":"Ada"}}"#, "Ada, score 40"),
        ("ai.training.completed", #"{"training":{"agent_name":"Wren","ai_score":86}}"#, "Wren, score 86"),
        ("webhook.test", #"{"endpoint":{"id":"ep_1"}}"#, "for ep_1"),
    ])
    func eachTypeTellsItsMainFacts(type: String, data: String, facts: String) {
        #expect(line(type, data).hasSuffix("  x_1  " + facts))
    }

    @Test func aTestHasNoSubjectAndAnUnknownTypeNoFacts() {
        #expect(line("webhook.test", #"{"endpoint":{"id":"ep_1"}}"#, subject: "null").hasSuffix("  -  for ep_1"))
        #expect(line("moon.risen", "{}") == "2026-01-31T09:00:00Z  42  moon.risen                x_1")
        #expect(EventLine.text("{") == "an event that can't be read")
    }

    @Test(arguments: [
        ("write to ada@example.com now", "write to [e-mail] now"),
        ("call +1 (202) 555-0100 or 0170/1234567", "call [phone] or [phone]"),
        ("in 2026, room 12, for 100000", "in 2026, room 12, for 100000"),
    ])
    func contactsInFreeTextAreHidden(text: String, shown: String) {
        #expect(EventSummary.withoutContacts(text) == shown)
    }

    @Test func aLineStaysOneLineAndLeavesTheTerminalAlone() {
        let text = line("job.status_changed", #"{"job":{"title":"a\nb\u001b[2J"},"from":"open","to":"closed"}"#)
        #expect(text.hasSuffix("a b\\u{1b}[2J, open → closed"))
    }

    @Test func objectsAreSplitWhateverTheirTextsHold() {
        let objects = [#"{"a":"},{\"","b":{"c":[{}]}}"#, #"{"d":"\\"}"#, "{}"]
        let bytes = Array(objects.joined(separator: ",").utf8)
        #expect(bytes.withUnsafeBufferPointer { EventLine.split($0) } == objects)
        #expect([UInt8]().withUnsafeBufferPointer { EventLine.split($0) } == [])
    }
}
