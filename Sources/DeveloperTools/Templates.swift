import Domain
import EmbeddedFiles
import Hummingbird
import Mustache

/// The pages' templates and files, as they are inside the program.
struct Templates: Sendable {
    private let library: MustacheLibrary
    let version: String
    /// Part of the files' addresses: another program's files have other ones.
    let fingerprint: String

    static let names = [
        "ago", "bare", "chart", "deliveries", "delivery", "delivery-rows", "delivery-table", "docs", "endpoint", "endpoint-form",
        "endpoints", "error", "event", "event-rows", "event-table", "events", "faults", "key-confirm", "key-new", "keys", "layout",
        "list", "navigation", "organization", "organizations", "overview", "record", "remove", "replay", "secret", "secret-form",
        "sign-in", "time",
    ]

    static let files: [String: String] = [
        "style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
    ]

    init(version: String) {
        self.version = version
        MustacheContentTypes.register(EscapedHTML(), named: EscapedHTML.name)
        var templates: [String: MustacheTemplate] = [:]
        for name in Self.names {
            // Without the file's last line break, which a partial in a line would bring along.
            let bytes = Self.bytes("\(name).mustache").dropLast()
            let text = "{{% CONTENT_TYPE:\(EscapedHTML.name)}}" + String(decoding: bytes, as: UTF8.self)
            // They are inside the program, and a test reads each: this can fail in no program whose tests have passed.
            do { templates[name] = try MustacheTemplate(string: text) } catch { fatalError("the template \(name): \(error)") }
        }
        library = MustacheLibrary(templates: templates)
        let files = Self.files.keys.sorted().flatMap { Array(Self.bytes($0)) }
        fingerprint = String(CRC32.checksum(files), radix: 36)
    }

    static func bytes(_ name: String) -> UnsafeBufferPointer<UInt8> {
        let file = hirewire_file("Sources/DeveloperTools/Files/\(name)")
        return UnsafeBufferPointer(start: file.bytes, count: file.size)
    }

    func render(_ name: String, _ content: [String: Any]) -> String {
        library.render(content, withTemplate: name) ?? ""
    }
}

/// Texts of others as texts of a page, in elements and in quoted attributes.
///
/// By scalars: the library's own compares whole characters, and a quotation mark with an accent over it is none to it.
struct EscapedHTML: MustacheContentType {
    static let name = "ESCAPED_HTML"

    func escapeText(_ text: String) -> String {
        guard text.utf8.contains(where: { Self.replacement($0) != nil }) else { return text }
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count + 32)
        for byte in text.utf8 {
            if let replacement = Self.replacement(byte) { out += replacement.utf8 } else { out.append(byte) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func replacement(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        case 0: "\u{FFFD}"
        default: nil
        }
    }
}

extension DeveloperTools {
    /// A file of the pages. Its address has its fingerprint, so it may be kept.
    func asset(_ request: PageRequest) -> PageAnswer {
        let name = request.parameters["name"] ?? ""
        guard let type = Templates.files[name] else { return .refused(.notFound, "There is nothing at this address.") }
        return PageAnswer(
            headers: [.contentType: type, .cacheControl: "public, max-age=31536000, immutable"],
            body: ByteBuffer(bytes: Templates.bytes(name)))
    }

    /// A page outside a session.
    func page(_ name: String, title: String, _ content: [String: Any], status: HTTPResponse.Status = .ok) -> PageAnswer {
        let frame: [String: Any] = ["title": title, "version": templates.version, "fingerprint": templates.fingerprint]
        return .html(templates.render(name, frame.merging(content) { $1 }), status: status)
    }

    /// A page in a session, with the way around.
    ///
    /// - Parameter section: the address whose entry in the navigation is where we are.
    func page(
        _ name: String, _ visit: Visit, title: String, section: String, _ content: [String: Any], status: HTTPResponse.Status = .ok
    ) -> PageAnswer {
        let others = visit.organizations.filter { $0.number != visit.organization.number }
        var frame: [String: Any] = [
            "formToken": visit.formToken, "once": Self.newCookie(), "organization": visit.organization.name,
            "groups": Navigation.groups(current: section),
            "here": visit.request.target, "canSwitch": !others.isEmpty, "publicURL": configuration.publicURL,
            "choices": visit.organizations.map {
                ["id": $0.typedID, "name": $0.name, "isCurrent": $0.number == visit.organization.number]
            },
        ]
        if let notice = visit.request.asked("done").flatMap({ Self.notices[$0] }) { frame["notice"] = notice }
        return page(name, title: title, frame.merging(content) { $1 }, status: status)
    }

    func missing(_ visit: Visit, _ what: String) -> PageAnswer {
        page(
            "error", title: "Not found", ["message": "There is no \(what) here, or no longer.", "isSignedIn": true], status: .notFound)
    }

    /// What a form came to, told on the page that follows it.
    static let notices = [
        "revoked": "The key is revoked. It stops working at once.",
        "saved": "Saved.",
        "enabled": "The endpoint is enabled; what was held goes out.",
        "disabled": "The endpoint is paused; its deliveries are held until you enable it.",
        "removed": "The endpoint is removed.",
        "sent": "The test is on its way.",
        "again": "The delivery goes out again.",
        "added": "The organization is added.",
    ]

    static func query(_ pairs: [(name: String, value: String)]) -> String {
        pairs.map { "\(escaped($0.name))=\(escaped($0.value))" }.joined(separator: "&")
    }

    /// Percent-encoded but for what RFC 3986 calls unreserved.
    static func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}

extension Organization {
    var typedID: String { "org_" + id.text }
}

/// The way around the pages.
enum Navigation {
    static let entries: [(group: String?, items: [(title: String, path: String)])] = [
        (nil, [("Overview", "/"), ("API keys", "/keys")]),
        ("Webhooks", [("Endpoints", "/webhooks"), ("Deliveries", "/deliveries"), ("Events", "/events")]),
        ("Data", ListDefinition.all.map { ($0.kind.title, "/data/\($0.kind.plural)") }),
        ("Setup", [("Organizations", "/organizations"), ("Quick start", "/docs")]),
    ]

    static func groups(current: String) -> [[String: Any]] {
        entries.map { group in
            var shown: [String: Any] = [
                "items": group.items.map { ["title": $0.title, "path": $0.path, "isCurrent": $0.path == current] as [String: Any] }
            ]
            if let name = group.group { shown["groupName"] = name }
            return shown
        }
    }
}

extension RecordKind {
    /// `Candidates`, as a heading.
    var title: String { plural.prefix(1).uppercased() + plural.dropFirst() }
}
