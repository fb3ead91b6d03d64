import Domain
import EmbeddedFiles
import HTTPSupport
import NIOCore
import Synchronization

/// What is the same for everybody: the contract, its page, the catalogue of events, the API's root.
struct StaticDocuments: Sendable {
    let eventTypes: ByteBuffer
    /// Part of every entity tag: another version of the program, or of its links, writes other bodies.
    let salt: UInt64
    private let yaml: ByteBuffer
    private let rendered = Rendered()
    private let rootBody: ByteBuffer
    private let origin: String
    /// What the contract's examples begin with.
    static let origin = "http://127.0.0.1:8080"

    /// What is made from the contract when it is first asked for: a start waits for none of it.
    private final class Rendered: Sendable {
        let forms = Mutex<(json: ByteBuffer, page: ByteBuffer)?>(nil)
        /// Compressed once, by the route's pattern: nobody without a key makes the server work for each request.
        let packed = Mutex<[String: ByteBuffer]>([:])
    }

    init(_ configuration: PublicConfiguration) {
        let file = hirewire_file("openapi/public.yaml")
        origin = configuration.examplesURL
        yaml = ByteBuffer(bytes: UnsafeBufferPointer(start: file.bytes, count: file.size))
        eventTypes = ByteBuffer(string: EventCatalogue.body.text)
        rootBody = ByteBuffer(string: Self.root(configuration).text)
        salt = UInt64(CRC32.checksum("\(configuration.version) \(configuration.publicURL)".utf8))
    }

    private static func root(_ configuration: PublicConfiguration) -> JSONValue {
        func link(_ path: String) -> JSONValue { .string(configuration.publicURL + path) }
        let lists = Route.kinds.map { JSONValue.Member($0.plural, link("/api/v1/\($0.plural)")) }
        return .object([
            .init("name", .string("hirewire")), .init("version", .string(configuration.version)),
            .init(
                "links",
                .object(
                    lists + [
                        .init("events", link("/api/v1/events")), .init("event_types", link("/api/v1/event-types")),
                        .init("key", link("/api/v1/key")), .init("openapi", link("/openapi.json")), .init("docs", link("/docs")),
                    ])),
        ])
    }

    func root(_ reply: Reply) -> Answer { reply.body(rootBody) }

    private func forms() throws -> (json: ByteBuffer, page: ByteBuffer) {
        try rendered.forms.withLock { forms in
            if let forms { return forms }
            let text = String(buffer: yaml)
            let document = try ContractDocument(yaml: text)
            // Its examples, in its words too, are to be pasted.
            let shown = origin == Self.origin ? document : try ContractDocument(yaml: text.replacing(Self.origin, with: origin))
            let page = DocumentationPage(document: shown.value, origin: origin)
            let made = (json: ByteBuffer(bytes: document.json), page: ByteBuffer(bytes: page.html()))
            forms = made
            return made
        }
    }

    private func body(_ plain: ByteBuffer, type: String, _ route: Route, _ reply: Reply) -> Answer {
        let packed = rendered.packed.withLock { all in
            if reply.acceptsGzip, all[route.pattern] == nil { all[route.pattern] = reply.compressed(plain) }
            return reply.acceptsGzip ? all[route.pattern] : nil
        }
        return reply.body(packed ?? plain, isCompressed: packed != nil, type: type, link: nil, cache: "public, no-cache")
    }

    /// The pages that need no key.
    func open(_ route: Route, _ reply: Reply) throws -> Answer {
        switch route {
        case .openAPIYAML: return body(yaml, type: "application/yaml", route, reply)
        case .openAPIJSON: return body(try forms().json, type: "application/json", route, reply)
        default:
            var answer = body(try forms().page, type: "text/html; charset=utf-8", route, reply)
            answer.headers.append(
                (
                    "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                ))
            return answer
        }
    }
}

extension PublicCore {
    func open(_ route: Route, _ request: IncomingRequest, _ reply: Reply) throws -> Outcome {
        if route == .health { return .now(try health(reply)) }
        if let accept = request.accept, !Accept(accept).meets(any: route) {
            throw Problem(
                .notAcceptable, "This address answers \(route.mediaTypes.joined(separator: ", ")).",
                error: [.init("parameter", .string("Accept")), .init("allowed", .array(route.mediaTypes.map(JSONValue.string)))])
        }
        return later(reply, of: nil) { try self.documents.open(route, reply) }
    }

    /// For a load balancer: yes or no, no details.
    private func health(_ reply: Reply) throws -> Answer {
        guard !isShuttingDown else {
            throw Problem(.unavailable, "Shutting down.", headers: [("Retry-After", "5")])
        }
        try store.ping()
        return reply.body(ByteBuffer(string: "{\"status\":\"ok\"}"), cache: "no-store")
    }
}
