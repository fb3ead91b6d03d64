import Domain
import HTTPSupport

/// A request whose key has been checked and counted. An object, for it goes through many hands.
final class Call: Sendable {
    let route: Route
    let target: Target
    let request: IncomingRequest
    let key: APIKey
    let reply: Reply
    let tag: EntityTag?
    let notation: Notation
    /// The key's turn, where this is an export.
    let turn: ExportTurn?

    init(
        route: Route, target: Target, request: IncomingRequest, key: APIKey, reply: Reply, tag: EntityTag?, notation: Notation,
        turn: ExportTurn?
    ) {
        self.route = route
        self.target = target
        self.request = request
        self.key = key
        self.reply = reply
        self.tag = tag
        self.notation = notation
        self.turn = turn
    }

    var readsPersonal: Bool { key.scopes.contains(.personal) }

    /// The link to what follows, with its cursor.
    func next(_ cursor: String) -> (link: String, cursor: String) {
        (reply.link(target.path.escaped + "?" + target.queryKeeping("cursor", value: cursor)), cursor)
    }

    /// The header line of CSV; nothing in the other notations.
    func write(columnNames: [String], to out: inout ByteWriter) {
        guard notation == .csv else { return }
        for (index, name) in columnNames.enumerated() {
            if index > 0 { out.append(",") }
            out.append(text: name)
        }
        out.append("\r\n")
    }

    /// An export has lines, which a document has not.
    func refuseDocument() throws(Problem) {
        guard notation != .json else {
            throw Problem(.invalid("format", message: "is 'ndjson' or 'csv' in an export", allowed: ["ndjson", "csv"]))
        }
    }

    func refuseParameters() throws { _ = try expanded(from: []) }

    /// The one parameter that single records take: which of their related records to give whole.
    func expanded(from embeds: [RecordKind]) throws -> Set<RecordKind> {
        var expanded: Set<RecordKind>?
        for parameter in try target.parameters() {
            guard parameter.name == "expand", !embeds.isEmpty else {
                let known = embeds.isEmpty ? [] : ["expand"]
                throw Problem(.unknown(parameter.name, suggestion: Suggestion.closest(to: parameter.name, in: known)))
            }
            guard expanded == nil else { throw Problem(.repeated("expand")) }
            expanded = []
            for name in parameter.value.split(separator: ",", omittingEmptySubsequences: false) {
                guard let kind = embeds.first(where: { $0.singular == name }) else {
                    throw Problem(.invalid("expand", message: "knows no '\(name.prefix(60))'", allowed: embeds.map(\.singular)))
                }
                expanded?.insert(kind)
            }
        }
        return expanded ?? []
    }
}
