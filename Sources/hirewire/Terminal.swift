import Domain
import Foundation

/// What is written to a terminal, or to whatever reads the output.
enum Terminal {
    /// Colours and the like, for people who want them (no-color.org).
    static let isColourful: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isatty(1) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }()

    enum Style: String {
        case red = "31"
        case green = "32"
        case cyan = "36"
        case faint = "2"
        case strong = "1"
    }

    static func styled(_ text: String, _ style: Style, when isColourful: Bool = isColourful) -> String {
        isColourful ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// A text of somebody else's with nothing in it that would move the cursor, change colours or turn the reading direction.
    static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isActive) else { return text }
        return text.unicodeScalars.reduce(into: "") { out, scalar in
            if isActive(scalar) {
                out += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar != "\n" && scalar != "\t"
        case .format: scalar.properties.isBidiControl
        default: false
        }
    }

    /// Says something beside the output.
    static func note(_ text: String) { Stream.write("hirewire: \(text)\n", to: 2) }
}

/// Standard output and error without a buffer. Foundation's `FileHandle` ends the process where a disk is full.
enum Stream {
    /// Call first: a reader that goes away is then an answer, and not the end of the process.
    static func begin() { signal(SIGPIPE, SIG_IGN) }

    /// Writes everything. False when nobody reads any more, or a file takes no more.
    ///
    /// - Parameter descriptor: standard output, or with 2 standard error.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32 = 1) -> Bool {
        Array(text.utf8).withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// The reader of a pipe has gone.
    static var isClosed: Bool {
        var descriptor = pollfd(fd: 1, events: 0, revents: 0)
        return poll(&descriptor, 1, 0) > 0 && descriptor.revents & Int16(POLLERR) != 0
    }
}

/// JSON for people: a member a line.
struct PrettyJSON {
    let isColourful: Bool

    func text(_ value: JSONValue, indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { "\(inner)\(name($0.name)): \(text($0.value, indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + text($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        default: return Terminal.plain(value.text)
        }
    }

    private func name(_ name: String) -> String {
        Terminal.styled(Terminal.plain(JSONValue.string(name).text), .cyan, when: isColourful)
    }
}
