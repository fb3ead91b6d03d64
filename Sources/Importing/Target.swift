import Domain

/// A name under which a file may give a field, and how a cell's text is read for it.
///
/// A class, since one is handed on for every value of every row: copying the strings of a struct took a quarter of
/// the time of an import.
final class Target: Sendable {
    /// What a cell of CSV holds.
    enum CellForm: Sendable {
        case text
        /// Texts with `;` between them.
        case list
        /// JSON text.
        case json
    }

    let name: String
    /// RFC 6901.
    let pointer: String
    /// The field with its index in the schema; nil for `external_id`, relations by `…_external_id`, whole groups and
    /// `resume.content`, which ``RecordInput`` itself puts where they belong.
    let field: (index: Int, field: Field)?
    let cellForm: CellForm

    init(name: String, field: (index: Int, field: Field)?, cellForm: CellForm) {
        self.name = name
        pointer = "/" + (field?.field.group == nil ? name : name.split(separator: ".").joined(separator: "/"))
        self.field = field
        self.cellForm = cellForm
    }

    static let externalID = "external_id"
    static let resumeContent = "resume.content"
}

/// All targets of a kind.
struct TargetTable: Sendable {
    let kind: RecordKind
    let targets: [Target]
    private let indices: [String: Int]

    init(kind: RecordKind) {
        let schema = kind.schema
        var targets = [Target(name: Target.externalID, field: nil, cellForm: .text)]
        var groups: [String] = []
        for (index, field) in schema.fields.enumerated() {
            targets.append(Target(name: field.name, field: (index, field), cellForm: Self.cellForm(of: field)))
            if case .reference = field.form, field.name.hasSuffix("_id") {
                targets.append(Target(name: field.name.dropLast(2) + "external_id", field: nil, cellForm: .text))
            }
            if let group = field.group, groups.last != group { groups.append(group) }
        }
        targets += groups.map { Target(name: $0, field: nil, cellForm: .json) }
        if groups.contains("resume") {
            targets.append(Target(name: Target.resumeContent, field: nil, cellForm: .text))
        }
        self.kind = kind
        self.targets = targets
        indices = Dictionary(uniqueKeysWithValues: targets.enumerated().map { ($1.name, $0) })
    }

    func index(of name: String) -> Int? { indices[name] }

    var names: [String] { targets.map(\.name) }

    private static func cellForm(of field: Field) -> Target.CellForm {
        switch field.form {
        case .list: .list
        case .object, .array, .json: .json
        case .text, .choice, .integer, .number, .time, .reference: .text
        }
    }

    /// The relations that are named twice, by id and by external id, so that neither could win.
    func relationsNamedTwice(in names: [String]) -> [String] {
        names.filter { $0.hasSuffix("_external_id") && names.contains($0.dropLast("external_id".count) + "id") }
    }
}
