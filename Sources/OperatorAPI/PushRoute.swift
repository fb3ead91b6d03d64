import Domain
import HTTPTypes

/// The push API's addresses below `/operator/v1`, on one screen.
enum PushRoute: Equatable, Sendable {
    case root
    case capabilities
    case contract(ContractForm)
    case batch
    case record(RecordKind, String)
    case resume(String)
    case result(String)
    case erasure(String)
    case management(ManagementRoute)
    /// What another system would do here, and this one does not.
    case unsupported(Capability)

    enum ContractForm: String, CaseIterable, Sendable { case yaml, json }

    static let base = "/operator/v1"

    /// Every pattern with its methods, as the contract's document has them.
    static let table: [(pattern: String, methods: [HTTPRequest.Method])] =
        [
            (base, [.get]), ("\(base)/capabilities", [.get]), ("\(base)/batch", [.post]),
            ("\(base)/candidates/{id}/resume", [.put]), ("\(base)/candidates/{id}/erase", [.get, .post]),
            ("\(base)/interviews/{id}/result", [.post]),
        ]
        + ContractForm.allCases.map { ("\(base)/openapi.\($0.rawValue)", [.get]) }
        + ManagementRoute.table.map { (base + $0.pattern, $0.methods) }
        + RecordKind.allCases.map { ("\(base)/\($0.plural)/{id}", [.get, .put, .patch, .delete]) }
        + Capability.unsupported.compactMap { capability in capability.address.map { (base + $0.pattern, [$0.method]) } }

    /// - Parameter segments: of the whole path.
    init?(_ segments: [String]) {
        guard segments.count >= 2, segments[0] == "operator", segments[1] == "v1" else { return nil }
        let rest = Array(segments.dropFirst(2))
        if let capability = Capability.unsupported.first(where: { $0.address?.matches(rest) ?? false }) {
            self = .unsupported(capability)
            return
        }
        if let route = ManagementRoute(rest) {
            self = .management(route)
            return
        }
        switch (rest.count, rest.first ?? "") {
        case (0, _): self = .root
        case (1, "capabilities"): self = .capabilities
        case (1, "openapi.yaml"): self = .contract(.yaml)
        case (1, "openapi.json"): self = .contract(.json)
        case (1, "batch"): self = .batch
        case (3, "candidates") where rest[2] == "resume": self = .resume(rest[1])
        case (3, "candidates") where rest[2] == "erase": self = .erasure(rest[1])
        case (3, "interviews") where rest[2] == "result": self = .result(rest[1])
        case (2, let name):
            guard let kind = RecordKind.allCases.first(where: { $0.plural == name }), !rest[1].isEmpty else { return nil }
            self = .record(kind, rest[1])
        default: return nil
        }
    }

    /// The pattern, for the log, the metrics and the tests.
    var pattern: String {
        switch self {
        case .root: Self.base
        case .capabilities: "\(Self.base)/capabilities"
        case .contract(let form): "\(Self.base)/openapi.\(form.rawValue)"
        case .batch: "\(Self.base)/batch"
        case .record(let kind, _): "\(Self.base)/\(kind.plural)/{id}"
        case .resume: "\(Self.base)/candidates/{id}/resume"
        case .result: "\(Self.base)/interviews/{id}/result"
        case .erasure: "\(Self.base)/candidates/{id}/erase"
        case .management(let route): Self.base + route.pattern
        case .unsupported(let capability): Self.base + (capability.address?.pattern ?? "")
        }
    }

    var methods: [HTTPRequest.Method] { Self.table.filter { $0.pattern == pattern }.flatMap(\.methods) }

    /// The kind of the whole record that a change answers with; nil where it is none.
    var answeredKind: RecordKind? {
        switch self {
        case .record(let kind, _): kind
        case .resume: .candidate
        case .result: .interview
        default: nil
        }
    }

    /// Bytes of a body at most.
    var largestBody: Int {
        switch self {
        case .batch: 16 << 20
        case .resume: RecordInput.largestResume
        default: 1 << 20
        }
    }
}
