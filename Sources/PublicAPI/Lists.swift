import Domain
import HTTPSupport
import NIOCore
import Synchronization

/// A list of records: parse, query, write. A page is answered here, all of them by ``Export``.
struct ListAnswer: Sendable {
    let call: Call
    let list: ListRequest
    let form: ListForm
    unowned let core: PublicCore

    init(_ call: Call, kind: RecordKind, core: PublicCore) throws {
        guard let definition = ListDefinition.of(kind) else { throw Problem.notFound }
        self.call = call
        self.core = core
        do {
            list = try ListRequest(call.target.parameters(), definition: definition)
        } catch let fault as ParameterFault {
            throw Problem(fault)
        }
        if list.isExport { try call.refuseDocument() }
        form = core.forms.form(list, definition, personal: call.readsPersonal, notation: call.notation)
    }

    var isExport: Bool { list.isExport }

    /// Bounded tightly enough to be answered on an event loop: a walk of the table or of one relation's index.
    var isShort: Bool {
        let query = list.query
        return query.conditions.allSatisfy {
            if case .equals(let field, let ids) = $0 { field.hasSuffix("_id") && ids.count == 1 } else { false }
        }
            && query.conditions.count <= 1 && !query.countsExactly && query.createdAfter == nil && query.createdBefore == nil
            && (query.sort.isByChange || query.conditions.isEmpty)
            // To compress more takes longer than an event loop should stand still.
            && (!call.reply.acceptsGzip || query.limit <= 25)
    }

    func answer(_ reader: any StoreReader) throws -> Answer {
        call.notation == .json ? try page(reader) : try lines(reader)
    }

    /// The rows alone; what a page says beside them is in headers.
    private func lines(_ reader: any StoreReader) throws -> Answer {
        try core.scratch.use { out in
            call.write(columnNames: form.columnNames, to: &out)
            let end = try reader.list(list.query, of: call.key.organization, form: form, into: &out)
            core.note(reader.takeTold(), call)
            let next = end.hasMore ? end.last.map { call.next(list.cursor(after: $0)) } : nil
            let bytes = ByteBuffer(bytes: out.bytes)
            let packed = call.reply.compressed(bytes)
            return call.reply.rows(
                packed ?? bytes, call.notation, isCompressed: packed != nil, mark: Self.mark(end.asOf), total: end.total,
                masked: masked(end.hidden), link: next?.link)
        }
    }

    static func mark(_ asOf: Timestamp) -> (String, String) { ("X-As-Of", asOf.description) }

    /// The names of hidden fields; nil for a reader from whom none is hidden.
    func masked(_ hidden: HiddenIDs) -> [String]? { call.readsPersonal ? nil : form.names(of: hidden) + form.masked }

    private func page(_ reader: any StoreReader) throws -> Answer {
        try core.scratch.use { out in
            out.append("{\"data\":[")
            let end = try reader.list(list.query, of: call.key.organization, form: form, into: &out)
            let next = end.hasMore ? end.last.map { call.next(list.cursor(after: $0)) } : nil
            out.append(end.hasMore ? "],\"has_more\":true,\"meta\":{\"as_of\":" : "],\"has_more\":false,\"meta\":{\"as_of\":")
            out.append(time: end.asOf)
            if let total = end.total {
                out.append(",\"total\":")
                out.append(integer: Int64(total))
            }
            if !call.readsPersonal {
                out.append(",\"masked\":")
                out.append(names: form.names(of: end.hidden) + form.masked)
            }
            out.append("},\"next\":")
            out.append(optional: next?.link)
            out.append(",\"next_cursor\":")
            out.append(optional: next?.cursor)
            out.append("}")
            let bytes = ByteBuffer(bytes: out.bytes)
            let told = reader.takeTold()
            core.note(told, call)
            let packed = call.reply.compressed(bytes)
            if let tag = call.tag {
                core.pages.offer(tag.hash, isCompressed: call.reply.acceptsGzip, size: (packed ?? bytes).readableBytes) {
                    BodyCache.Page(
                        bytes: packed ?? bytes, isCompressed: packed != nil, next: next?.link,
                        people: told.isEmpty ? nil : ReadAudit.People(told))
                }
            }
            return call.reply.body(packed ?? bytes, isCompressed: packed != nil, link: next?.link)
        }
    }
}

extension Target {
    /// The client's query as it was written, but for `name`, which gets this value.
    func queryKeeping(_ name: String, value: String) -> String {
        var out = ""
        out.reserveCapacity((query?.utf8.count ?? 0) + value.utf8.count + 16)
        for pair in pairs {
            let behind = pair.utf8.starts(with: name.utf8) ? pair.utf8.dropFirst(name.utf8.count).first ?? UInt8(ascii: "=") : 0
            if behind == UInt8(ascii: "=") { continue }
            out += pair.escaped
            out += "&"
        }
        return out + name + "=" + value
    }
}

extension Substring {
    /// Safe inside a link, whatever it was: what RFC 3986 does not allow in a query is escaped.
    var escaped: String {
        let isPlain = utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3C && $0 != 0x3E && $0 != 0x5C }
        if isPlain { return String(self) }
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in utf8 {
            if byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x3C && byte != 0x3E && byte != 0x5C {
                out.append(byte)
            } else {
                out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension ByteWriter {
    mutating func append(optional text: String?) {
        if let text { append(quoted: text) } else { append("null") }
    }

    /// The names of hidden fields, as an array.
    mutating func append(names: [String]) {
        append("[")
        for (index, name) in names.enumerated() {
            if index > 0 { append(",") }
            append(quoted: name)
        }
        append("]")
    }
}

/// The compiled forms of the usual requests; an unusual one is compiled for itself.
final class ListForms: Sendable {
    private let usual: [RecordKind: [Bool: ListForm]]

    init() {
        usual = Dictionary(
            uniqueKeysWithValues: ListDefinition.all.map { definition in
                (
                    definition.kind,
                    [
                        true: ListForm(kind: definition.kind, personal: true, embedding: definition.embeds),
                        false: ListForm(kind: definition.kind, personal: false, embedding: definition.embeds),
                    ]
                )
            })
    }

    func form(_ list: ListRequest, _ definition: ListDefinition, personal: Bool, notation: Notation) -> ListForm {
        if notation == .json, list.fields == nil, list.expanded.isEmpty, let form = usual[definition.kind]?[personal] { return form }
        return ListForm(
            kind: definition.kind, personal: personal, only: list.fields, embedding: definition.embeds, expanded: list.expanded,
            notation: notation)
    }
}

/// Writers that keep their memory between requests.
final class ScratchPool: Sendable {
    private final class Scratch {
        var writer = ByteWriter(capacity: 32 << 10)
    }

    /// One owner at a time: the pool's lock hands it over.
    private struct Lent: @unchecked Sendable {
        let scratch: Scratch
    }

    private let idle = ThreadShards<[Lent]> { [] }

    func use<Result>(_ body: (inout ByteWriter) throws -> Result) throws -> Result {
        let lent = idle.withLock { $0.popLast() } ?? Lent(scratch: Scratch())
        lent.scratch.writer.reset()
        defer { idle.withLock { if $0.count < 4 { $0.append(lent) } } }
        return try body(&lent.scratch.writer)
    }
}

/// Bodies that were asked for twice without a change between: what a dashboard polls.
///
/// The tag's hash stands for the request and the organization's change counter, so a body can never be stale. A body
/// is taken in at its second asking, so that walks do not push out what is polled.
final class BodyCache: Sendable {
    struct Page: Sendable {
        let bytes: ByteBuffer
        let isCompressed: Bool
        let next: String?
        /// Whose personal data it holds; nil where it is nobody's.
        let people: ReadAudit.People?
    }

    private struct Slot: Sendable {
        var hash: UInt64 = 0
        var page: Page?
    }

    private static let slots = 16
    private static let largest = 64 << 10

    /// Sixteen small tables, so that two loops seldom meet.
    private final class Table: Sendable {
        let slots = Mutex<[Slot]>(Array(repeating: Slot(), count: BodyCache.slots))
    }

    private let tables = (0..<16).map { _ in Table() }

    private func table(_ hash: UInt64) -> Table { tables[Int(hash >> 60)] }

    /// Whoever takes compressed bodies has slots of their own.
    private static func slot(_ hash: UInt64, _ isCompressed: Bool) -> UInt64 { isCompressed ? ~hash : hash }

    func find(_ hash: UInt64, isCompressed: Bool) -> Page? {
        let hash = Self.slot(hash, isCompressed)
        return table(hash).slots.withLock { slots in
            let slot = slots[Int(hash % UInt64(Self.slots))]
            return slot.hash == hash ? slot.page : nil
        }
    }

    /// - Parameter page: made where it is kept.
    func offer(_ hash: UInt64, isCompressed: Bool, size: Int, _ page: () -> Page) {
        let hash = Self.slot(hash, isCompressed)
        guard size <= Self.largest else { return }
        table(hash).slots.withLock { slots in
            let index = Int(hash % UInt64(Self.slots))
            if slots[index].hash == hash {
                slots[index].page = page()
            } else {
                slots[index] = Slot(hash: hash, page: nil)
            }
        }
    }
}
