import Domain
import HTTPSupport

/// The records: lists with the filters of the public API, and one record with all that is known of it.
extension DeveloperTools {
    private static let rowsAPage = 25

    func recordPath(_ id: String) -> String? {
        for definition in ListDefinition.all where RecordID(id[...], kind: definition.kind) != nil {
            return "/data/\(definition.kind.plural)/\(id)"
        }
        return nil
    }

    private func definition(_ visit: Visit) -> ListDefinition? {
        ListDefinition.all.first { $0.kind.plural == visit.request.parameters["kind"] }
    }

    /// What was asked of a list, as the public API would be: what a form leaves empty was not asked for.
    private func parameters(_ visit: Visit) -> [RequestParameter] {
        let asked = visit.request.query.filter { !$0.value.isEmpty && $0.name != "done" }
        return asked.contains { $0.name == "limit" } ? asked : asked + [RequestParameter("limit", String(Self.rowsAPage))]
    }

    func list(_ visit: Visit) throws -> PageAnswer {
        guard let definition = definition(visit) else { return missing(visit, "list") }
        let parameters = parameters(visit)
        let path = "/data/\(definition.kind.plural)"
        var content: [String: Any] = [
            "path": path, "isFiltered": parameters.contains { !["limit", "sort", "cursor"].contains($0.name) },
            "sorts": sorts(definition, visit), "changedSince": visit.request.asked("updated_after") ?? "",
            "includesDeleted": visit.request.asked("include_deleted") == "true",
            "curl": curl("/api/v1/\(definition.kind.plural)", query: Self.query(parameters.map { ($0.name, $0.value) })),
            "columns": RecordColumns.of(definition.kind).map(\.title), "many": definition.kind.plural,
        ]
        var wrong: String?
        do {
            let request = try ListRequest(parameters, definition: definition)
            let rows = try read(request, definition, visit)
            content["rows"] = rows.records.map { row($0, definition.kind, visit) }
            content["hasRows"] = !rows.records.isEmpty
            if let next = rows.next {
                let kept = parameters.filter { $0.name != "cursor" } + [RequestParameter("cursor", next)]
                content["next"] = path + "?" + Self.query(kept.map { ($0.name, $0.value) })
            }
            if visit.request.asked("cursor") != nil {
                content["first"] = path + "?" + Self.query(parameters.filter { $0.name != "cursor" }.map { ($0.name, $0.value) })
            }
        } catch let fault as ParameterFault {
            let fault = Self.inputFault(fault)
            content.merge(Self.summary(of: [fault])) { $1 }
            wrong = fault.pointer
        }
        content["filters"] = definition.filters.map { RecordFilter($0, visit.request, isWrong: $0.name == wrong).content }
        return page(
            "list", visit, title: definition.kind.title, section: path, content, status: wrong == nil ? .ok : .unprocessableContent)
    }

    private func sorts(_ definition: ListDefinition, _ visit: Visit) -> [[String: Any]] {
        let asked = visit.request.asked("sort") ?? ""
        return [["value": "", "text": "default", "isChosen": asked.isEmpty]]
            + definition.sorts.flatMap { field in
                [(field, "\(field.replacing("_", with: " ")), ascending"), ("-" + field, "\(field.replacing("_", with: " ")), descending")]
                    .map {
                        ["value": $0.0, "text": $0.1, "isChosen": $0.0 == asked]
                    }
            }
    }

    private static func inputFault(_ fault: ParameterFault) -> InputFault {
        switch fault {
        case .unknown(let name, let suggestion):
            InputFault(name, "is no parameter of this list" + (suggestion.map { "; did you mean \($0)?" } ?? ""))
        case .repeated(let name): InputFault(name, "may be given once")
        case .invalid(let name, let message, _, _): InputFault(name, message)
        case .invalidCursor: InputFault("cursor", "is damaged or none of ours; begin again at the first page")
        case .cursorMismatch: InputFault("cursor", "belongs to other filters; begin again at the first page")
        }
    }

    private func read(
        _ request: ListRequest, _ definition: ListDefinition, _ visit: Visit
    ) throws -> (records: [JSONValue], next: String?) {
        let form = ListForm(kind: definition.kind, personal: true, embedding: definition.embeds, expanded: request.expanded)
        var out = ByteWriter()
        out.append("[")
        let end = try read("/data/{kind}", visit) { try $0.list(request.query, of: visit.organization.number, form: form, into: &out) }
        out.append("]")
        guard case .array(let records) = try JSONParser.parse(out.bytes) else { return ([], nil) }
        return (records, end.hasMore ? end.last.map { request.cursor(after: $0) } : nil)
    }

    /// Reads, and notes whose personal data was given to the operator.
    ///
    /// - Parameter route: the pattern of the page's address.
    func read<Result>(_ route: String, _ visit: Visit, _ body: (any StoreReader) throws -> Result) throws -> Result {
        try stores.reads.read { reader in
            let result = try body(reader)
            let way = PersonalRead.Way(organization: visit.organization.number, keyID: nil, route: route)
            stores.audit.note(.init(reader.takeTold()), by: way, at: visit.now)
            return result
        }
    }

    private func row(_ record: JSONValue, _ kind: RecordKind, _ visit: Visit) -> [String: Any] {
        let id = EventSummary.word(record["id"]) ?? ""
        let isDeleted = EventSummary.word(record["deleted_at"]) != nil
        return [
            "path": "/data/\(kind.plural)/\(id)", "id": id, "isDeleted": isDeleted,
            "cells": RecordColumns.of(kind).enumerated().map { index, column in
                var cell = column.cell(record, now: visit.now)
                if index == 0 { (cell["path"], cell["isFirst"]) = ("/data/\(kind.plural)/\(id)", true) }
                if index == 0, cell["text"] as? String == "" { cell["text"] = id }
                return cell
            },
        ]
    }

    // MARK: One

    func record(_ visit: Visit) throws -> PageAnswer {
        guard let definition = definition(visit), let id = RecordID(visit.id[...], kind: definition.kind) else {
            return missing(visit, "record")
        }
        var out = ByteWriter()
        let form = ListForm(kind: id.kind, detail: true, personal: true, embedding: definition.embeds)
        let lookup = try read("/data/{kind}/{id}", visit) { try $0.record(id, of: visit.organization.number, form: form, into: &out) }
        out.append("}")
        let section = "/data/\(id.kind.plural)"
        switch lookup {
        case .missing: return missing(visit, id.kind.singular)
        case .deleted:
            return page(
                "error", visit, title: "Deleted", section: section,
                ["message": "This \(id.kind.singular) was deleted.", "isSignedIn": true], status: .gone)
        case .found: break
        }
        guard case .object(let members) = try JSONParser.parse(out.bytes) else { return missing(visit, id.kind.singular) }
        let name = Self.name(of: .object(members))
        return page(
            "record", visit, title: name.map(Shown.visible) ?? "\(id)", section: section,
            [
                "id": id.description, "kind": id.kind.singular, "listPath": section, "listTitle": id.kind.title,
                "fields": members.filter { !$0.value.isNothing }.map { field($0, visit) }, "related": related(id),
                "isRelated": !related(id).isEmpty,
                "unknown": members.filter(\.value.isNothing).map(\.name).joined(separator: ", "),
                "curl": curl("/api/v1/\(id.kind.plural)/\(id)"),
            ])
    }

    /// What people call a record: its name or title, or those of the records that it stands between.
    private static func name(of record: JSONValue) -> String? {
        if let own = EventSummary.word(record["full_name"]) ?? EventSummary.word(record["title"]) { return own }
        let names = [EventSummary.word(record["candidate"]?["full_name"]), EventSummary.word(record["job"]?["title"])].compactMap(\.self)
        return names.isEmpty ? nil : names.joined(separator: " · ")
    }

    private func field(_ member: JSONValue.Member, _ visit: Visit) -> [String: Any] {
        var shown: [String: Any] = ["name": member.name]
        switch member.value {
        case .string(let text):
            if member.name.hasSuffix("_at"), let time = Timestamp(rfc3339: text) {
                shown["time"] = Shown.time(time, now: visit.now)
            } else {
                shown["text"] = Shown.visible(text)
                shown["path"] = member.name == "id" ? nil : recordPath(text)
            }
        case .number(let text): shown["text"] = text
        case .bool(let isTrue): shown["text"] = isTrue ? "yes" : "no"
        case .array(let parts) where parts.allSatisfy({ EventSummary.word($0) != nil }):
            shown["words"] = parts.compactMap { EventSummary.word($0).map(Shown.visible) }
        case .object where EventSummary.word(member.value["id"]).flatMap(recordPath) != nil:
            // A related record.
            let id = EventSummary.word(member.value["id"]) ?? ""
            shown["text"] = Shown.visible(Self.name(of: member.value) ?? id)
            shown["path"] = recordPath(id)
        default: shown["json"] = Shown.visible(Shown.pretty(member.value))
        }
        return shown
    }

    /// Lists that can be asked for this record's part of them.
    private func related(_ id: RecordID) -> [[String: Any]] {
        let filter = "\(id.kind.singular)_id"
        var links: [[String: Any]] = ListDefinition.all.filter { $0.filters.contains { $0.name == filter } }.map {
            ["title": $0.kind.title, "path": "/data/\($0.kind.plural)?\(filter)=\(id)"]
        }
        if id.kind == .candidate || id.kind == .job { links.append(["title": "Events", "path": "/events?\(filter)=\(id)"]) }
        return links
    }
}

/// A filter of a list as a field of a form.
private struct RecordFilter {
    let filter: ListFilter
    let isWrong: Bool
    let values: [String]

    init(_ filter: ListFilter, _ request: PageRequest, isWrong: Bool) {
        (self.filter, self.isWrong) = (filter, isWrong)
        values = request.query.filter { $0.name == filter.name && !$0.value.isEmpty }.map(\.value)
    }

    var content: [String: Any] {
        // What was asked for by an address beside the first value stays a part of the form.
        var content: [String: Any] = [
            "name": filter.name, "label": label, "value": values.first ?? "", "others": values.dropFirst().map { ["value": $0] },
            "isWrong": isWrong,
        ]
        switch filter.form {
        case .choice(let words):
            content["hasChoices"] = true
            let asked = values.first.flatMap { words.contains($0) ? nil : [$0] } ?? []
            content["choices"] = (words + asked).map { ["word": $0, "isChosen": values.first == $0] as [String: Any] }
        case .number(let range):
            (content["isNumber"], content["least"], content["most"]) = (true, Int(range.lowerBound), Int(range.upperBound))
        case .time: (content["isText"], content["isTime"], content["hint"]) = (true, true, "2026-01-31T09:00:00Z")
        case .ids(let kind): (content["isText"], content["hint"]) = (true, "\(kind.prefix)_…")
        case .words, .text: content["isText"] = true
        case .search: (content["isSearch"], content["isText"]) = (true, false)
        }
        return content
    }

    private var label: String {
        if filter.name == "q" { return "search" }
        return filter.name.replacing("_", with: " ")
    }
}

/// What a list's table shows of a kind of record.
struct RecordColumns {
    enum Look: Sendable { case plain, badge, time, number, link, code }

    let title: String
    /// A member, or one of a related record: `candidate.full_name`.
    let path: String
    let look: Look

    init(_ title: String, _ path: String, _ look: Look = .plain) {
        (self.title, self.path, self.look) = (title, path, look)
    }

    static func of(_ kind: RecordKind) -> [RecordColumns] {
        let who = [RecordColumns("Candidate", "candidate.full_name"), RecordColumns("Job", "job.title")]
        let end = RecordColumns("Changed", "updated_at", .time)
        let status = RecordColumns("Status", "status", .badge)
        return switch kind {
        case .candidate:
            [
                RecordColumns("Name", "full_name"), RecordColumns("Headline", "headline"), RecordColumns("Location", "location"), status,
                RecordColumns("Source", "source"), end,
            ]
        case .job:
            [
                RecordColumns("Title", "title"), RecordColumns("Department", "department"), RecordColumns("Location", "location"), status,
                RecordColumns("Openings", "openings", .number), end,
            ]
        case .application: who + [RecordColumns("Stage", "stage"), status, RecordColumns("Applied", "applied_at", .time), end]
        case .interview: who + [RecordColumns("Type", "type"), status, RecordColumns("Scheduled", "scheduled_at", .time), end]
        case .match: who + [RecordColumns("Score", "score", .number), status, end]
        case .call:
            [
                RecordColumns("Call", "id", .code), RecordColumns("Purpose", "purpose"), status,
                RecordColumns("Started", "started_at", .time), RecordColumns("Seconds", "duration_seconds", .number), end,
            ]
        default: [RecordColumns("Id", "id", .code), end]
        }
    }

    func cell(_ record: JSONValue, now: Timestamp) -> [String: Any] {
        let value = path.split(separator: ".").reduce(Optional(record)) { $0?[String($1)] }
        let text = EventSummary.word(value).map(Shown.visible) ?? ""
        switch look {
        case .time:
            guard let time = Timestamp(rfc3339: text) else { return ["text": "", "title": title] }
            return ["time": Shown.time(time, now: now), "title": title]
        case .badge: return text.isEmpty ? ["text": "", "title": title] : ["badge": text, "title": title]
        case .number: return ["text": text, "isNumber": true, "title": title]
        default: return ["text": text, "title": title]
        }
    }
}
