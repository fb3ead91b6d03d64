import ArgumentParser
import Domain
import Foundation
import SQLiteStorage

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show which key read which candidate's personal data, and when.",
        discussion: """
            For example, what to give to a person who asks:
              hirewire audit --candidate cand_01J… --json > reads.ndjson

            Answers to keys with the scope read:pii count where they hold personal data;
            the operator's own reads count too. A row is one key and one address within a
            second or two. Rows are kept as long as `serve --audit-retention` says.
            """)
    @OptionGroup var common: Common
    @OptionGroup var place: InOrganization
    @Option(help: "Only reads of this candidate: an id, an erased one's too, or an external_id.") var candidate: String?
    @Option(help: "Only reads by this key (its public id).") var key: String?
    @Option(help: "Only reads from then on: a date, an RFC 3339 time, or an age such as 7d.") var since: String?
    @Option(help: "Only reads before then.") var until: String?

    func run() throws {
        let (since, until) = (try Words.moment(since, option: "--since"), try Words.moment(until, option: "--until"))
        let database = try common.open()
        let organization = try place.find(in: database)
        let target = try candidate.map { try RecordLookup.id($0, .candidate, in: organization, database) }
        var rows: [[String]] = []
        try database.reads(of: target?.ulid, by: key, since: since, until: until, in: organization) { read in
            if common.isJSON { return Output.json(members(read, of: target)) }
            let people = target == nil ? "\(read.candidates.count) candidates" : ""
            rows.append([
                read.first.description, read.last.description, read.way.keyID ?? "operator", read.way.route, "\(read.requests)", people,
            ])
        }
        if common.isJSON { return }
        if rows.isEmpty { return print("no reads") }
        Output.table([["FIRST", "LAST", "KEY_ID", "ADDRESS", "REQUESTS", target == nil ? "OF" : ""]] + rows)
    }

    private func members(_ read: PersonalRead, of target: RecordID?) -> [JSONValue.Member] {
        [
            .init("first_at", Output.time(read.first)), .init("last_at", Output.time(read.last)),
            .init("key_id", read.way.keyID.map(JSONValue.string) ?? .null), .init("route", .string(read.way.route)),
            .init("requests", .number(String(read.requests))),
            target.map { .init("candidate_id", .string($0.description)) }
                ?? .init("candidate_ids", .array(read.candidates.map { .string(RecordID(kind: .candidate, ulid: $0).description) })),
        ]
    }
}
