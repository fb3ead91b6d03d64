import Domain
import HTTPSupport
import Hummingbird

/// A request for a page, read whole and bounded.
struct PageRequest: Sendable {
    let isPost: Bool
    /// With its query, as it was asked for.
    let target: String
    let path: String
    let parameters: [String: String]
    let query: [RequestParameter]
    let form: [RequestParameter]
    let cookies: [String: String]
    let host: String
    let origin: String?
    let fetchSite: String?
    let client: ClientAddress
    let requestID: String

    /// More than any form of ours.
    private static let largestForm = 64 << 10

    /// Nil where the form is larger than any of ours.
    init?(_ request: Request, parameters: Parameters, client: ClientAddress, requestID: String) async throws {
        isPost = request.method == .post
        target = request.uri.string
        path = request.uri.path
        self.parameters = Dictionary(parameters.map { (String($0.key), $0.value.removingPercentEncoding ?? "") }) { $1 }
        query = Self.read(request.uri.query ?? "")
        var form: [RequestParameter] = []
        if request.method == .post {
            guard let body = try? await request.body.collect(upTo: Self.largestForm) else { return nil }
            form = Self.read(String(buffer: body))
        }
        self.form = form
        cookies = Self.readCookies(request.headers[values: .cookie])
        host = request.head.authority ?? ""
        origin = request.headers[.origin]
        fetchSite = request.headers[FieldName("Sec-Fetch-Site")!]
        self.client = client
        self.requestID = requestID
    }

    /// Names and values of a query or a form. What is not well escaped is left out: no link or form of ours has it.
    private static func read(_ text: String) -> [RequestParameter] {
        text.split(separator: "&").prefix(500).compactMap { pair in
            guard let target = try? Target("/?" + pair) else { return nil }
            return try? target.parameters().first
        }
    }

    /// The first of a name counts: a cookie of ours is more specific than what another host of the site sets.
    private static func readCookies(_ fields: [String]) -> [String: String] {
        var cookies: [String: String] = [:]
        for pair in fields.flatMap({ $0.split(separator: ";") }) {
            let sides = pair.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if sides.count == 2, cookies[sides[0]] == nil { cookies[sides[0]] = sides[1] }
        }
        return cookies
    }

    /// A field of the form, without space around it; nil where it is missing or empty.
    func field(_ name: String) -> String? { Self.first(name, form) }
    func fields(_ name: String) -> [String] { form.filter { $0.name == name }.map(\.value) }
    func asked(_ name: String) -> String? { Self.first(name, query) }

    private static func first(_ name: String, _ list: [RequestParameter]) -> String? {
        guard let value = list.first(where: { $0.name == name })?.value.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        return value.isEmpty ? nil : value
    }
}

/// A page that is being visited by the operator, in one organization.
struct Visit: Sendable {
    let request: PageRequest
    /// The hash of the session's id.
    let session: [UInt8]
    let organization: Organization
    let organizations: [Organization]
    /// Stands in every form.
    let formToken: String
    let now: Timestamp

    /// The id in the address.
    var id: String { request.parameters["id"] ?? "" }
}
