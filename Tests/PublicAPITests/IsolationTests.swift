import Domain
import Foundation
import HTTPSupport
import NIOCore
import TestSupport
import Testing

@testable import PublicAPI

@Suite("An organization sees its own, and a key what it may read")
struct IsolationTests {
    private let world: TwoOrganizations
    private let random: SeededGenerator

    init() throws {
        var random = SeededGenerator("isolation")
        world = try TwoOrganizations(&random)
        self.random = random
    }

    private func text(_ answer: Answer) -> String { String(buffer: answer.body) }
    private func json(_ answer: Answer) throws -> JSONValue { try JSONParser.parse(text(answer)) }

    /// That nothing of the other side, and nothing personal without the scope, is in the answer.
    private func check(_ answer: Answer, _ target: String, _ side: TwoOrganizations.Side, _ other: TwoOrganizations.Side, personal: Bool) {
        let asked = target.removingPercentEncoding ?? target
        let whole = ([text(answer)] + answer.headers.map { "\($0.0): \($0.1)" }).joined(separator: "\n")
        for word in [other.word, other.personalWord] + (personal ? [] : [side.personalWord, "71077017"]) where !asked.contains(word) {
            if whole.contains(word) { Issue.record("\(word) in the answer to \(target): \(whole.prefix(2_000))") }
        }
        let foreign = Set(other.ids.values.joined().map(\.ulid.text))
        for part in whole.split(whereSeparator: { !$0.isLetter && !$0.isNumber }) where part.utf8.count == 26 && !asked.contains(part) {
            if foreign.contains(String(part)) { Issue.record("\(part) in the answer to \(target)") }
        }
        #expect(answer.status < 500, "\(target): \(whole.prefix(500))")
    }

    /// Every address with every parameter, with values of one's own and of the other side.
    private func targets(_ side: TwoOrganizations.Side, _ other: TwoOrganizations.Side, cursors: [RecordKind: [String]]) -> [String] {
        var targets = [
            "/api/v1", "/api/v1/key", "/api/v1/events", "/api/v1/events?limit=3", "/api/v1/event-types", "/api/v1/events?limit=1000",
        ]
        let both = [side, other]
        for definition in ListDefinition.all {
            let (kind, path) = (definition.kind, "/api/v1/\(definition.kind.plural)")
            func add(_ name: String, _ values: [String]) {
                for value in values { targets.append("\(path)?count=exact&limit=1000&\(name)=\(value)") }
            }
            for owner in both {
                for id in owner.ids[kind]! {
                    targets.append("\(path)/\(id)")
                    if !definition.embeds.isEmpty { targets.append("\(path)/\(id)?expand=candidate,job") }
                    if kind == .candidate { targets += ["\(path)/\(id)/resume", "/api/v1/events?candidate_id=\(id)"] }
                    if kind == .job { targets.append("/api/v1/events?job_id=\(id)") }
                }
                add("ids", [owner.ids[kind]!.map(\.description).joined(separator: ",")])
            }
            for filter in definition.filters {
                switch filter.form {
                case .choice(let words): add(filter.name, words)
                case .ids(let kind):
                    add(
                        filter.name,
                        both.flatMap { $0.ids[kind]!.map(\.description) } + [
                            both.flatMap { $0.ids[kind]!.map(\.description) }.joined(separator: ",")
                        ])
                case .words, .text, .search:
                    add(filter.name, both.flatMap { [$0.word, $0.personalWord, "\($0.word)%20\(filter.name)"] } + ["Swift"])
                case .number: add(filter.name, ["0", "50"])
                case .time: add(filter.name, ["2026-05-01T00:00:00Z"])
                }
            }
            for sort in definition.sorts { add("sort", [sort, "-" + sort]) }
            for name in definition.fieldNames { add("fields", [name]) }
            for expand in definition.embeds { add("expand", [expand.singular]) }
            add("include_deleted", ["true"])
            add("updated_after", ["2026-01-01T00:00:00Z"])
            for cursor in cursors[kind] ?? [] { targets.append("\(path)?cursor=\(cursor)") }
        }
        return targets
    }

    private func cursors(_ key: String) async throws -> [RecordKind: [String]] {
        var found: [RecordKind: [String]] = [:]
        for definition in ListDefinition.all {
            for sort in definition.sorts.flatMap({ [$0, "-" + $0] }) {
                let page = try json(await world.get("/api/v1/\(definition.kind.plural)?limit=1&sort=\(sort)", key))
                if let cursor = page["next_cursor"].asText { found[definition.kind, default: []].append(cursor) }
            }
        }
        return found
    }

    @Test("No address with any parameter shows anything of another organization, or anything personal without read:pii", arguments: [0, 1])
    func everyAddress(index: Int) async throws {
        let (side, other) = (world.sides[index], world.sides[1 - index])
        let theirs = try await cursors(other.personalKey)
        #expect(theirs.values.joined().count > 20)
        var shown = 0
        for target in targets(side, other, cursors: theirs) {
            for (key, personal) in [(side.readKey, false), (side.personalKey, true)] {
                let answer = await world.get(target, key)
                check(answer, target, side, other, personal: personal)
                if personal, text(answer).contains(side.personalWord) { shown += 1 }
            }
        }
        #expect(shown > 100, "there is something to hide")
    }

    @Test("Random combinations show no more", arguments: [0, 1])
    func combinations(index: Int) async throws {
        let (side, other) = (world.sides[index], world.sides[1 - index])
        var random = random
        let lists = targets(side, other, cursors: try await cursors(other.readKey)).filter {
            $0.contains("?") && !$0.contains("/api/v1/events")
        }
        for _ in 0..<500 {
            let first = lists.randomElement(using: &random)!
            let path = first.prefix { $0 != "?" }
            let more = lists.filter { $0.hasPrefix(path + "?") }.randomElement(using: &random)!.drop { $0 != "?" }.dropFirst()
            let target =
                first + "&" + more.split(separator: "&").filter { !$0.hasPrefix("count") && !$0.hasPrefix("limit") }.joined(separator: "&")
            for (key, personal) in [(side.readKey, false), (side.personalKey, true)] {
                check(await world.get(target, key), target, side, other, personal: personal)
            }
        }
    }

    @Test("Totals and pages count one's own alone", arguments: [0, 1])
    func totals(index: Int) async throws {
        let side = world.sides[index]
        for definition in ListDefinition.all {
            let page = try json(await world.get("/api/v1/\(definition.kind.plural)?count=exact&limit=1000", side.readKey))
            #expect(page["meta"]?["total"]?.text == String(side.ids[definition.kind]!.count))
            #expect(Set(page["data"].asElements.compactMap { $0["id"].asText }) == Set(side.ids[definition.kind]!.map(\.description)))
        }
        let feed = try json(await world.get("/api/v1/events?limit=1000", side.readKey))
        #expect(feed["data"].asElements.enumerated().allSatisfy { $1["sequence"]?.text == String($0 + 1) }, "no gap tells of others")
    }

    @Test("Another's id, deleted or not, is as unknown as none: the same bytes and headers but for the rate", arguments: [0, 1])
    func unknown(index: Int) async throws {
        let (side, other) = (world.sides[index], world.sides[1 - index])
        func seen(_ target: String, _ key: String) async -> String {
            let answer = await world.get(target, key)
            return "\(answer.status) \(answer.headers.filter { $0.0 != "RateLimit" }.map { "\($0.0): \($0.1)" }) \(text(answer))"
        }
        let event = try #require(try json(await world.get("/api/v1/events?limit=1", other.readKey))["data"].asElements.first?["id"].asText)
        for key in [side.readKey, side.personalKey] {
            for kind in Route.kinds {
                let none = RecordID(kind: kind, ulid: ULID(high: 1, low: 1))
                for rest in kind == .candidate ? ["", "/resume"] : [""] {
                    let expected = await seen("/api/v1/\(kind.plural)/\(none)\(rest)", key)
                    #expect(expected.hasPrefix("404") || rest == "/resume" && expected.hasPrefix("403"))
                    for id in other.ids[kind]! { #expect(await seen("/api/v1/\(kind.plural)/\(id)\(rest)", key) == expected) }
                }
            }
            let none = await seen("/api/v1/calls/\(RecordID(kind: .call, ulid: ULID(high: 1, low: 1)))", key)
            #expect(await seen("/api/v1/calls/\(other.deleted)", key) == none)
            #expect(await seen("/api/v1/calls/\(side.deleted)", key).hasPrefix("410"))
            #expect(await seen("/api/v1/events/\(event)", key) == seen("/api/v1/events/\(EventID(ULID(high: 1, low: 1)))", key))
        }
    }

    @Test("Without read:pii a search or filter that only personal data meets finds what one for nothing finds", arguments: [0, 1])
    func personalSearches(index: Int) async throws {
        let side = world.sides[index]
        func rows(_ target: String, _ key: String) async throws -> Int { try json(await world.get(target, key))["data"].asElements.count }
        #expect(
            try await rows("/api/v1/candidates?q=\(side.personalWord)", side.personalKey) == side.ids[.candidate]!.count,
            "there is something to find")
        for definition in ListDefinition.all {
            for filter in definition.filters {
                guard [.words, .text, .search].contains(filter.form) else { continue }
                for form in ["%@", "%@*", "%%22%@%%22", "Swift%%20%@", "%@%%20email"] where filter.form == .search || form == "%@" {
                    for sort in ["updated_at", "-created_at"] {
                        let targets = [side.personalWord, "nosuchword"].map {
                            "/api/v1/\(definition.kind.plural)?sort=\(sort)&count=exact&\(filter.name)=" + String(format: form, $0)
                        }
                        let bodies = [text(await world.get(targets[0], side.readKey)), text(await world.get(targets[1], side.readKey))]
                        #expect(bodies[0] == bodies[1], "\(targets[0])")
                    }
                }
            }
            for sort in ["email", "phone", "-external_user_id", "custom", "external_id"] {
                #expect(await world.get("/api/v1/\(definition.kind.plural)?sort=\(sort)", side.personalKey).status == 400)
            }
        }
        #expect(await world.get("/api/v1/candidates/\(side.ids[.candidate]![0])/resume", side.readKey).status == 403)
    }
}
