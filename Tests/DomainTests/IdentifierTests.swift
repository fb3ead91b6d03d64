import TestSupport
import Testing

@testable import Domain

@Suite("Ids and keys")
struct IdentifierTests {
    @Test("A ULID prints as 26 characters that read back, in either case, and sorts as it prints")
    func ulids() {
        var random = SeededGenerator("ulids")
        var last: ULID?
        for milliseconds in stride(from: UInt64(0), to: 1 << 48, by: 1 << 37) {
            let ulid = ULID(milliseconds: milliseconds, random: (UInt16.random(in: 0...UInt16.max, using: &random), random.next()))
            #expect(ulid.text.utf8.count == 26 && ULID(text: ulid.text.utf8) == ulid && ULID(text: ulid.text.lowercased().utf8) == ulid)
            if let last { #expect(last < ulid && last.text < ulid.text) }
            last = ulid
        }
        for edge in [ULID(high: 0, low: 0), ULID(high: .max, low: .max)] { #expect(ULID(text: edge.text.utf8) == edge) }
        #expect(ULID(high: .max, low: .max).text == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        // The specification's own example.
        #expect(ULID(text: "01ARZ3NDEKTSV4RRFFQ69G5FAV".utf8).map { $0.high >> 16 } == 1_469_922_850_259)
    }

    @Test(
        "What is no ULID is not read",
        arguments: [
            "", "0", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVV", "01ARZ3NDEKTSV4RRFFQ69G5FAU",
            "01ARZ3NDEKTSV4RRFFQ69G5FAI", "01ARZ3NDEKTSV4RRFFQ69G5FAL", "01ARZ3NDEKTSV4RRFFQ69G5FAO", "01ARZ3NDEKTSV4RRFFQ69G5FA-",
            "01ARZ3NDEKTSV4RRFFQ69G5Fé", "01ARZ3NDEKTSV4RRFFQ69G5FA ",
        ])
    func noULID(text: String) { #expect(ULID(text: text.utf8) == nil) }

    @Test("An id is read as one of its own kind alone", arguments: RecordKind.allCases)
    func kinds(kind: RecordKind) {
        let id = RecordID(kind: kind, ulid: ULID(high: 7, low: 9))
        for other in RecordKind.allCases { #expect((RecordID(id.description, kind: other) == id) == (other == kind)) }
        for wrong in [
            id.ulid.text, kind.prefix + id.ulid.text, id.description + "0", kind.prefix.uppercased() + "_" + id.ulid.text,
            kind.prefix + "-" + id.ulid.text,
        ] {
            #expect(RecordID(wrong, kind: kind) == nil)
        }
        #expect(EventID(id.description) == nil && EventID("evt_" + id.ulid.text)?.ulid == id.ulid)
        #expect(RecordKind(word: kind.singular) == kind && RecordKind(word: kind.plural) == kind)
    }

    @Test("A key reads back, and no change of one character does")
    func keys() throws {
        var random = SeededGenerator("keys")
        for _ in 0..<3 {
            let token = APIKeyToken(using: &random)
            let text = Array(token.text.utf8)
            #expect(text.count == APIKeyToken.length && APIKeyToken(token.text) == token)
            #expect(APIKeyToken(keyID: token.keyID, secret: token.secret) == token)
            for index in text.indices {
                for byte in UInt8(0x20)...0x7E where byte != text[index] {
                    var changed = text
                    changed[index] = byte
                    if APIKeyToken(String(decoding: changed, as: UTF8.self)) != nil { Issue.record("\(byte) at \(index) of \(token.text)") }
                }
                var shorter = text
                shorter.remove(at: index)
                if APIKeyToken(String(decoding: shorter, as: UTF8.self)) != nil { Issue.record("without \(index) of \(token.text)") }
                guard index + 1 < text.count, text[index] != text[index + 1] else { continue }
                var swapped = text
                swapped.swapAt(index, index + 1)
                if APIKeyToken(String(decoding: swapped, as: UTF8.self)) != nil { Issue.record("swapped at \(index) of \(token.text)") }
            }
            #expect(APIKeyToken(token.text + " ") == nil && APIKeyToken(" " + token.text) == nil && APIKeyToken("") == nil)
        }
    }

    @Test("A rotated key keeps its id and has another secret")
    func rotated() {
        var random = SeededGenerator("rotated keys")
        let first = APIKeyToken(using: &random)
        let second = APIKeyToken(keyID: first.keyID, using: &random)
        #expect(second.keyID == first.keyID && second.secret != first.secret && APIKeyToken(second.text) == second)
        #expect(APIKeyToken(keyID: first.keyID, secret: String(second.secret.reversed())) == nil)
    }

    @Test("read:pii includes read; words read back")
    func scopes() {
        #expect(Scopes.personal.contains(.read) && !Scopes.read.contains(.personal) && !Scopes.ingest.contains(.read))
        #expect(Scopes.words.compactMap { Scopes(word: $0) }.count == 3 && Scopes(word: "READ") == nil)
        #expect(Scopes.personal.union(.ingest).words == ["read", "read:pii", "ingest"])
    }
}
