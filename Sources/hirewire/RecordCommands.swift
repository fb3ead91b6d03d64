import ArgumentParser
import Domain
import Foundation
import SQLiteStorage

struct SetFields: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change fields of one record.",
        discussion: """
            For example:
              hirewire set candidate cand_01J… status=interviewing
              hirewire set job R-209 'required_skills=Swift;SQL' location=

            field= clears a field; lists are separated by ';'; field:=JSON gives a value as
            JSON.
            """)
    @OptionGroup var common: Common
    @OptionGroup var place: InOrganization
    @Argument(help: "The kind of record.") var kind: RecordKind
    @Argument(help: "Its id, or its external_id.") var id: String
    @Argument(help: "field=value …") var assignments: [String]
    @Option(help: "Why, told in the event of a changed status.") var reason: String?

    func run() throws {
        var members: [JSONValue.Member] = []
        for assignment in assignments {
            guard let mark = assignment.firstIndex(of: "=") else {
                throw ValidationError("'\(assignment)' should be field=value")
            }
            let value = String(assignment[assignment.index(after: mark)...])
            var name = String(assignment[..<mark])
            if name.hasSuffix(":") {
                name.removeLast()
                do { members.append(.init(name, try JSONParser.parse(value))) } catch {
                    throw ValidationError("'\(name)' is no JSON: \(error)")
                }
            } else {
                members.append(.init(name, Self.value(value, for: name, kind)))
            }
        }
        let input: RecordInput
        do { input = try RecordInput(kind: kind, json: .object(members)) } catch { throw ValidationError("\(error)") }
        let database = try common.open()
        let organization = try place.find(in: database)
        var options = ChangeOptions()
        options.reason = reason
        let target = try RecordLookup.id(id, kind, in: organization, database)
        let outcome = try database.write { try $0.change(target, by: input, in: organization, options: options) }
        guard let outcome else { throw Failure("there is no \(target)") }
        if common.isJSON {
            var out = ByteWriter()
            RecordRow.write(outcome.record, by: RecordForm(kind: kind, projection: .detail, personal: true), to: &out)
            print(out.text + "}")
        } else if case .unchanged = outcome {
            print("\(target) is so already")
        } else {
            print("\(target) is now version \(outcome.record.version)")
        }
    }

    /// A text as the field takes it; an empty one clears.
    private static func value(_ text: String, for name: String, _ kind: RecordKind) -> JSONValue {
        if text.isEmpty { return .null }
        guard let index = kind.schema.index(of: name), kind.schema.fields[index].form == .list else { return .string(text) }
        return .array(text.split(separator: ";").map { .string($0.trimmingCharacters(in: .whitespaces)) })
    }
}

/// Finds what an argument names: an id, or else an `external_id`.
enum RecordLookup {
    static func id(_ text: String, _ kind: RecordKind, in organization: Organization, _ database: Database) throws -> RecordID {
        if let id = RecordID(text, kind: kind) { return id }
        guard let id = try database.id(of: kind, externalID: text, in: organization) else {
            throw Failure("there is no \(kind.singular) with the id or external_id '\(text.prefix(80))'")
        }
        return id
    }
}

struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete one record; pollers see a tombstone.",
        discussion: "A candidate's or job's applications, interviews and matches go with it.")
    @OptionGroup var common: Common
    @OptionGroup var place: InOrganization
    @Argument(help: "The kind of record.") var kind: RecordKind
    @Argument(help: "Its id, or its external_id.") var id: String

    func run() throws {
        let database = try common.open()
        let organization = try place.find(in: database)
        let target = try RecordLookup.id(id, kind, in: organization, database)
        guard try database.write({ try $0.delete(target, in: organization, options: ChangeOptions()) }) else {
            throw Failure("there is no \(target)")
        }
        if common.isJSON { Output.json([.init("deleted", .string(target.description))]) } else { print("deleted \(target)") }
    }
}

struct Erase: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Erase a candidate: the right to be forgotten.",
        discussion: """
            Personal data leaves the record, its applications, interviews, matches, calls
            and events, the full-text index and the file's free pages. Returns when no
            byte of it is left in the database and its journal. A tombstone stays. Backups
            made earlier are yours to delete.
            """)
    @OptionGroup var common: Common
    @OptionGroup var place: InOrganization
    @Argument(help: "The candidate's id, or external_id.") var id: String

    func run() throws {
        let database = try common.open()
        let organization = try place.find(in: database)
        let target = try RecordLookup.id(id, .candidate, in: organization, database)
        guard try database.erase(target.ulid, in: organization) else { throw Failure("there is no \(target)") }
        try database.scrub()
        if common.isJSON { Output.json([.init("erased", .string(target.description))]) } else { print("erased \(target)") }
    }
}
