import Dispatch
import Domain
import Foundation
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOPosix
import SQLiteStorage
import TestSupport

@testable import PublicAPI

/// Two organizations in one database, behind the core that serves both: each with records whose every text says whose
/// it is, and whether it is personal.
final class TwoOrganizations: Sendable {
    /// A word of each organization, and one that its personal texts alone have.
    struct Side: Sendable {
        let organization: Organization
        let word: String
        let personalWord: String
        let readKey: String
        let personalKey: String
        let ids: [RecordKind: [RecordID]]
        let deleted: RecordID
    }

    private struct NoLog: AccessObserving {
        func finished(_ record: AccessRecord) {}
    }

    let core: PublicCore
    let sides: [Side]
    private let folder: String

    /// - Parameters:
    ///   - threads: where longer answers are made.
    ///   - monotonic: the limits' clock, in nanoseconds; the system's unless given.
    init(_ random: inout SeededGenerator, threads: NIOThreadPool? = nil, monotonic: (@Sendable () -> Int64)? = nil) throws {
        folder = NSTemporaryDirectory() + "hirewire-isolation-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let database = try Database(path: folder + "/hirewire.db")
        sides = try [("alphaorg", "personalone", 7), ("betaorg", "personaltwo", 11)].map { word, personalWord, count in
            let organization = try database.addOrganization(name: word)
            var ids: [RecordKind: [RecordID]] = [:]
            try database.write { writer in
                for kind in RecordKind.allCases {
                    for number in 0..<(kind == .job ? 3 : count) {
                        let json = Self.json(kind, number, word, personalWord, ids, &random)
                        let input = try RecordInput(kind: kind, json: JSONParser.parse(json))
                        ids[kind, default: []].append(try writer.apply(input, in: organization, options: ChangeOptions()).record.recordID)
                    }
                }
            }
            let deleted = ids[.call]!.removeLast()
            _ = try database.write { try $0.delete(deleted, in: organization, options: ChangeOptions()) }
            func key(_ scopes: Scopes) throws -> String {
                let token = APIKeyToken(using: &random)
                _ = try database.addKey(
                    token, secretHash: SecretHash.of(token.secret), name: word, organization: organization, scopes: scopes,
                    rateLimit: 1_000_000_000, expiresAt: nil)
                return token.text
            }
            return Side(
                organization: organization, word: word, personalWord: personalWord, readKey: try key(.read),
                personalKey: try key(.personal), ids: ids, deleted: deleted)
        }
        core = PublicCore(
            store: try ReaderPool(path: database.path), configuration: PublicConfiguration(), time: SystemTime(), usage: UsageCounter(),
            observer: NoLog(), waiters: EventWaiters(), threads: threads,
            monotonic: monotonic ?? { Int64(DispatchTime.now().uptimeNanoseconds) })
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Every field of the kind, its texts saying whose they are.
    private static func json(
        _ kind: RecordKind, _ number: Int, _ word: String, _ personalWord: String, _ ids: [RecordKind: [RecordID]],
        _ random: inout SeededGenerator
    ) -> String {
        var groups: [String: [String]] = [:]
        var parts = [
            #""external_id":"\#(number % 2 == 0 ? "\(word)-\(kind.prefix)\(number)" : "\(personalWord)\(kind.prefix)\(number)@\(word).example")""#
        ]
        for field in kind.schema.fields {
            let text = field.privacy == .open ? word : "\(personalWord) \(word)"
            let value: String
            switch field.form {
            case .text(let limit): value = limit < 10 ? #""EUR""# : #""\#(text) \#(field.column)""#
            // The same of both organizations meet in filters.
            case .choice(let words): value = #""\#(words.randomElement(using: &random)!)""#
            case .integer: value = field.privacy == .open ? "3" : "71077017"
            case .number(let range): value = range.upperBound > 100 ? "5" : String(Int.random(in: 0...100, using: &random))
            case .time: value = #""2026-0\#(Int.random(in: 1...9, using: &random))-01T00:00:00Z""#
            case .list: value = #"["\#(text)","Swift"]"#
            case .object: value = #"{"note":"\#(text)"}"#
            case .array: value = #"[{"name":"\#(word)","email":"\#(personalWord)@\#(word).example","\#(personalWord)@x":1}]"#
            case .json: value = #"["\#(text)"]"#
            case .reference(let other): value = #""\#(ids[other]!.randomElement(using: &random)!)""#
            }
            // An array of people has names for all; a personal array is personal throughout.
            let shown = field.form == .array && field.privacy == .personal ? #"["\#(text)"]"# : value
            let member = #""\#(field.member)":\#(shown)"#
            if let group = field.group { groups[group, default: []].append(member) } else { parts.append(member) }
        }
        // A file for half of them: "personal" in base 64.
        if kind == .candidate, number % 2 == 0 { groups["resume"]?.append(#""content":"cGVyc29uYWw=""#) }
        for (name, members) in groups { parts.append(#""\#(name)":{\#(members.joined(separator: ","))}"#) }
        return "{" + parts.joined(separator: ",") + "}"
    }

    func get(_ target: String, _ key: String) async -> Answer {
        let headers = HTTPHeaders([("Authorization", "Bearer \(key)"), ("X-Request-Id", "same")])
        let request = IncomingRequest(
            method: .GET, target: target, headers: headers, client: ClientAddress(nil), requestIDs: core.requestIDs)
        switch core.respond(to: request) {
        case .now(let answer): return answer
        case .later(let start): return await withCheckedContinuation { continuation in start { continuation.resume(returning: $0) } }
        }
    }
}
