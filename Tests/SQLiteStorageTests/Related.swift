import Domain

/// A candidate, a job and an application to refer to, and inputs with every field set.
struct Related {
    let candidate: RecordID
    let job: RecordID
    let application: RecordID

    init(_ bench: Workbench) throws {
        candidate = try bench.put(.candidate, #"{"external_id":"related-c","full_name":"Related Candidate"}"#).id
        job = try bench.put(.job, #"{"external_id":"related-j","title":"Related Job"}"#).id
        application = try bench.put(
            .application, #"{"external_id":"related-a","candidate_external_id":"related-c","job_external_id":"related-j"}"#
        ).id
    }

    func reference(_ kind: RecordKind) -> String {
        switch kind {
        case .candidate: candidate.description
        case .job: job.description
        default: application.description
        }
    }

    /// An object with a value for every field of the kind; `mark` stands in every text that may hold one.
    func whole(_ kind: RecordKind, externalID: String = "whole", mark: String = "value") -> String {
        var groups: [(name: String, members: [String])] = []
        var parts = [#""external_id":"\#(externalID)""#]
        for field in kind.schema.fields {
            let text = #""\#(field.member)":\#(value(field, mark: mark))"#
            guard let group = field.group else {
                parts.append(text)
                continue
            }
            if groups.last?.name == group { groups[groups.count - 1].members.append(text) } else { groups.append((group, [text])) }
        }
        parts += groups.map { #""\#($0.name)":{\#($0.members.joined(separator: ","))}"# }
        return "{" + parts.joined(separator: ",") + "}"
    }

    private func value(_ field: Field, mark: String) -> String {
        switch field.form {
        case .text(let limit): limit < 10 ? #""EUR""# : #""\#(mark) \#(field.column)""#
        case .choice(let words): #""\#(words[words.count - 1])""#
        case .integer: "3"
        // The lesser salary comes first in the schema.
        case .number(let range): range.upperBound > 100 ? (field.name == "salary_min" ? "1.5" : "2.25") : "12.5"
        case .time: #""2025-06-30T12:34:56.789012Z""#
        case .list: #"["\#(mark) one","two \"quoted\""]"#
        case .object: #"{"a":"\#(mark) \#(field.column)","n":[1,2.50,null,true]}"#
        case .array: #"[{"name":"Kim","email":"\#(mark)@\#(field.column).example"}]"#
        case .json: #"[{"says":"\#(mark) \#(field.column)"}]"#
        case .reference(let kind): #""\#(reference(kind))""#
        }
    }
}
