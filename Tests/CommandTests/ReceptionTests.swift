import Domain
import Testing

@testable import hirewire

@Suite struct ReceptionTests {
    private func reception(_ body: String, reason: String? = nil) -> Reception {
        Reception(
            at: Timestamp(microseconds: 0), method: "POST", path: "/", headers: [("webhook-id", "evt_1")], body: Array(body.utf8),
            reason: reason, status: reason == nil ? 200 : 401)
    }

    @Test func aDeliveryIsALineOfJSONWithItsBodyAsItCame() {
        #expect(
            reception(#"{"z":1.0,"a":null}"#).line
                == #"{"event":"delivery","at":"1970-01-01T00:00:00.000000Z","verified":true,"reason":null,"status":200,"method":"POST","path":"/","headers":{"webhook-id":"evt_1"},"body":{"z":1.0,"a":null}}"#
                + "\n")
        #expect(reception("not JSON", reason: "why").line.contains(#""verified":false,"reason":"why","status":401"#))
        #expect(reception("not JSON").line.hasSuffix(#""body":"not JSON"}"# + "\n"))
    }

    @Test func peopleSeeTheVerdictTheHeadersAndTheBody() {
        #expect(
            reception(#"{"type":"job.status_changed","data":{"a":[1,{}],"b":[]}}"#).lines(isColourful: false) == """
                1970-01-01T00:00:00.000000Z  ✓ verified  POST /  job.status_changed  → 200
                  webhook-id: evt_1
                  {
                    "type": "job.status_changed",
                    "data": {
                      "a": [
                        1,
                        {}
                      ],
                      "b": []
                    }
                  }


                """)
        #expect(reception("x", reason: "it is older").lines(isColourful: false).contains("✗ refused: it is older"))
    }

    @Test func coloursAreForTerminalsAndNothingElseMovesThem() {
        #expect(reception("{}").lines(isColourful: true).contains("\u{1B}[32m✓ verified\u{1B}[0m"))
        let hostile = reception("\u{1B}[2J\u{9B}", reason: "\u{1B}]0;x")
        #expect(!hostile.lines(isColourful: false).unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{9B}" })
    }

    @Test(arguments: [
        ("127.0.0.1", "http://127.0.0.1:9000/", "--webhook-allow-http --webhook-allow-cidr 127.0.0.0/8"),
        ("0.0.0.0", "http://127.0.0.1:9000/", "--webhook-allow-http --webhook-allow-cidr 127.0.0.0/8"),
        ("::1", "http://[::1]:9000/", "--webhook-allow-http --webhook-allow-cidr ::1/128"),
        ("10.0.0.5", "http://10.0.0.5:9000/", "--webhook-allow-http --webhook-allow-cidr 10.0.0.5/32"),
    ])
    func theGuideNamesURLAndFlags(host: String, url: String, flags: String) {
        let guide = ListenGuide(host: host, dialect: .kendo, madeSecret: "abc", needsSecret: true)
        #expect(guide.text(port: 9_000).contains("hirewire webhooks add --url \(url) --dialect kendo --secret abc"))
        #expect(guide.text(port: 9_000).contains("hirewire serve \(flags)"))
    }

    @Test func aGivenSecretIsNotRepeated() {
        let guide = ListenGuide(host: "127.0.0.1", dialect: .kendo, madeSecret: nil, needsSecret: true)
        #expect(guide.text(port: 1).contains("--secret -"))
        #expect(guide.json(port: 1).contains(#""secret":null"#))
    }
}
