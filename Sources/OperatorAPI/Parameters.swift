import Domain
import HTTPSupport
import HTTPTypes

/// A request's parameters, each known and given once.
struct Parameters: Sendable {
    private let values: [String: String]

    static func known(of route: PushRoute, _ method: HTTPRequest.Method) -> [String] {
        switch route {
        case .contract: []
        case .record where method == .put || method == .patch: ["organization", "reason"]
        case .resume: ["organization", "file_name"]
        default: ["organization"]
        }
    }

    init(_ target: Target, of route: PushRoute, _ method: HTTPRequest.Method) throws {
        let known = Self.known(of: route, method)
        var values: [String: String] = [:]
        for parameter in try target.parameters() {
            guard known.contains(parameter.name) else {
                throw Problem(.unknown(parameter.name, suggestion: Suggestion.closest(to: parameter.name, in: known)))
            }
            guard values[parameter.name] == nil else { throw Problem(.repeated(parameter.name)) }
            guard (1...500).contains(parameter.value.utf8.count), !parameter.value.utf8.contains(0) else {
                throw Problem(.invalid(parameter.name, message: "is 1 to 500 bytes, without NUL"))
            }
            values[parameter.name] = parameter.value
        }
        self.values = values
    }

    subscript(_ name: String) -> String? { values[name] }
}
