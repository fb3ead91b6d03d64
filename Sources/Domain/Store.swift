/// How the rows of a list are written.
public final class ListForm: Sendable {
    public struct Embed: Sendable {
        /// The member's key and the opening quote: `,"candidate":`.
        public let key: [UInt8]
        public let form: RecordForm
        /// The field that names the related record.
        public let field: String
    }

    public let record: RecordForm
    public let embeds: [Embed]
    public let notation: Notation
    /// The record's cells and those of each embedded one, where the notation is ``Notation/csv``.
    public let cells: (record: CSVForm, embeds: [CSVForm])?
    /// The names that the reader does not get.
    public let masked: [String]
    /// The reader may see personal data, and so search it.
    public let personal: Bool
    /// The column of the record's row with the id of the candidate whose personal data is written; nil where none is.
    public let toldColumn: Int?

    /// - Parameters:
    ///   - detail: everything of the record, not only what lists give.
    ///   - embedding: related records to carry: whole where in `expanded`, else briefly.
    public init(
        kind: RecordKind, detail: Bool = false, personal: Bool, only: Set<String>? = nil, embedding: [RecordKind] = [],
        expanded: Set<RecordKind> = [], notation: Notation = .json
    ) {
        let form = RecordForm(kind: kind, projection: detail ? .detail : .list, personal: personal, only: only)
        record = form
        self.personal = personal
        self.notation = notation
        embeds = embedding.filter { only?.contains($0.singular) ?? true }.map { related in
            Embed(
                key: Array(",\"\(related.singular)\":".utf8),
                form: RecordForm(
                    kind: related, projection: expanded.contains(related) ? .list : .brief, personal: personal),
                field: related.singular + "_id")
        }
        cells =
            notation != .csv
            ? nil
            : (
                CSVForm(kind: kind, projection: form.projection, personal: personal, only: only),
                embeds.map {
                    CSVForm(kind: $0.form.kind, projection: $0.form.projection, personal: personal, owner: $0.form.kind.singular)
                }
            )
        let tells = form.showsPersonal || embeds.contains { $0.form.kind == .candidate && $0.form.showsPersonal }
        toldColumn = tells ? Self.candidateColumn(of: kind, form.projection) : nil
        masked = form.masked + embeds.flatMap { embed in embed.form.masked.map { "\(embed.form.kind.singular).\($0)" } }
    }
}

extension ListForm {
    /// The names of a CSV line's cells; empty in the other notations.
    public var columnNames: [String] { (cells?.record.names ?? []) + (cells?.embeds.flatMap(\.names) ?? []) }

    private static func candidateColumn(of kind: RecordKind, _ projection: Projection) -> Int? {
        if kind == .candidate { return 0 }
        guard let field = kind.schema.index(of: "candidate_id") else { return nil }
        return projection.fields(of: kind).firstIndex(of: field).map { Projection.heading.count + $0 }
    }
}

/// Whose `external_id` was hidden because it looks like an e-mail address: the record's own, or that of embedded ones.
public struct HiddenIDs: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let own = HiddenIDs(rawValue: 1)
    /// Of the form's embedded record with that index.
    public static func embedded(_ index: Int) -> HiddenIDs { HiddenIDs(rawValue: 2 << UInt8(index)) }
}

extension ListForm {
    /// The fields' names, and the more of them where the records are embedded themselves.
    public func names(of hidden: HiddenIDs, in owner: String = "") -> [String] {
        (hidden.contains(.own) ? [owner + "external_id"] : [])
            + embeds.indices.filter { hidden.contains(.embedded($0)) }.map { "\(owner)\(embeds[$0].form.kind.singular).external_id" }
    }
}

/// What a list came to, beside its rows.
public struct ListEnd: Sendable {
    public var count = 0
    public var hasMore = false
    /// The last row's place; nil for an empty page.
    public var last: ListPosition?
    /// The walk's high-water mark: just after the kind's last `updated_at` in the first page's snapshot.
    public var asOf = Timestamp(microseconds: 0)
    public var total: Int?
    public var hidden: HiddenIDs = []
    public init() {}
}

/// What became of an id that was asked for.
public enum Lookup: Sendable {
    case found(hidden: HiddenIDs)
    case deleted
    /// Unknown, or another organization's: nobody can tell which.
    case missing
}

/// A part of the event feed, as it is asked of the store.
public struct EventQuery: Sendable {
    /// Exclusive; nil for the oldest event that is kept.
    public var after: Int64?
    public var limit = ListDefinition.defaultPage
    public var types: [EventType] = []
    public var candidates: [ULID] = []
    public var jobs: [ULID] = []
    public var createdAfter: Timestamp?
    public var createdBefore: Timestamp?
    public var notation = Notation.json
    /// The names of a CSV line's cells.
    public static let columnNames = [
        "id", "type", "sequence", "created_at", "organization", "subject.kind", "subject.id", "subject.version", "data",
    ]
    public init() {}
}

public struct EventEnd: Sendable {
    public var count = 0
    public var hasMore = false
    /// To go on from: the last event of the page, or the last of the feed when there is no more.
    public var lastSequence: Int64 = 0
    /// Events after the asked position are gone already.
    public var expired = false
    public init() {}
}

/// Why the store could not do a thing.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    /// Locked by others for longer than the time-out, or out of reach.
    case busy(String)
    case unavailable(String)
    /// Not what was written: to be restored from a copy.
    case damaged(String)

    public var description: String {
        switch self {
        case .busy(let why), .unavailable(let why), .damaged(let why): why
        }
    }
}

/// One reader's view of the store: one snapshot for the whole of a call of ``ReadStore/read(_:)``. Not for use by two
/// threads at once.
public protocol StoreReader: AnyObject {
    /// Differs between databases, restored ones too: what makes an ETag of one no ETag of another.
    var identity: UInt64 { get throws }
    /// Counts the organization's visible changes. Never newer than what a later call on this reader sees.
    func changeCounter(of organization: OrganizationNumber) throws -> Int64
    /// The key; its usage may be that of a while ago.
    func key(_ keyID: String) throws -> APIKey?
    /// What a key's calls come to; nil before the first. Stored within seconds of them.
    func usage(of keyID: String) throws -> KeyUsage?
    /// Whose personal data was written since the last time it was asked.
    func takeTold() -> [ULID]
    /// How many rows a list has from its position on.
    func count(_ query: ListQuery, of organization: OrganizationNumber, form: ListForm) throws -> Int
    /// Writes the rows of a page as the form's notation has them: in JSON separated by commas, else each ended.
    func list(
        _ query: ListQuery, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> ListEnd
    /// Writes one record without its closing brace.
    func record(
        _ id: RecordID, of organization: OrganizationNumber, form: ListForm, into out: inout ByteWriter
    ) throws -> Lookup
    func resume(_ candidate: ULID, of organization: OrganizationNumber) throws -> (lookup: Lookup, file: ResumeFile?)
    /// The id that an `external_id` has, living or deleted. Nil when it is unknown.
    func id(of kind: RecordKind, externalID: String, in organization: OrganizationNumber) throws -> RecordID?
    /// Nil when there is none of that name.
    func organization(named name: String) throws -> Organization?
    /// Nil when none was asked for.
    func erasure(of candidate: ULID, in organization: OrganizationNumber) throws -> Erasure?
    func events(
        _ query: EventQuery, of organization: OrganizationNumber, personal: Bool, into out: inout ByteWriter
    ) throws -> EventEnd
    /// How many events there are from the query's position on.
    func count(_ query: EventQuery, of organization: OrganizationNumber) throws -> Int
    /// The sequence of the feed's newest event; 0 before the first.
    func lastEvent(of organization: OrganizationNumber) throws -> Int64
    func event(
        _ id: EventID, of organization: OrganizationNumber, personal: Bool, into out: inout ByteWriter
    ) throws -> Bool
}

public struct ResumeFile: Sendable {
    public let fileName: String?
    public let mediaType: String?
    public let bytes: [UInt8]
    public init(fileName: String?, mediaType: String?, bytes: [UInt8]) {
        self.fileName = fileName
        self.mediaType = mediaType
        self.bytes = bytes
    }
}

/// One snapshot of the store that stays the same from call to call, until it is let go with its last reference. Meanwhile
/// the journal can't be cut, so whoever holds one bounds how long and watches how far the journal grows.
public protocol HeldSnapshot: AnyObject, Sendable {
    /// One caller at a time has the reader; another waits.
    func read<Result>(_ body: (any StoreReader) throws -> Result) throws -> Result
    /// The bytes in the journal now.
    var journal: Int { get }
}

/// The read side of the store: what the public API stands on.
public protocol ReadStore: Sendable {
    /// Lends a reader to the caller for the time of the call. Never suspends.
    func read<Result>(_ body: (any StoreReader) throws -> Result) throws -> Result
    /// A snapshot of now, with a reader of its own.
    func hold() throws -> any HeldSnapshot
    /// Changes whenever any process commits; compared for equality only.
    var commitMark: Int64 { get }
    /// Whether the store answers at all.
    func ping() throws
}

public struct Organization: Sendable {
    public let number: OrganizationNumber
    public let id: ULID
    public let name: String
    /// The company's name as its subscribers are told it.
    public var displayName: String?
    /// Where the company's people look at a result, for subscribers.
    public var dashboardURL: String?
    /// From which score on a match raises `candidate.matched`, 0 to 100.
    public var matchThreshold: Double
    public var plan: Plan
    public let createdAt: Timestamp
    public init(
        number: OrganizationNumber, id: ULID, name: String, displayName: String?, dashboardURL: String? = nil, matchThreshold: Double,
        plan: Plan = Plan(), createdAt: Timestamp
    ) {
        self.number = number
        self.id = id
        self.name = name
        self.displayName = displayName
        self.dashboardURL = dashboardURL
        self.matchThreshold = matchThreshold
        self.plan = plan
        self.createdAt = createdAt
    }

    /// What of it is out of its bounds.
    public var faults: [InputFault] {
        var faults = plan.faults
        if !(0...100).contains(matchThreshold) { faults.append(InputFault("match_threshold", "is a number from 0 to 100")) }
        if let displayName, !(1...200).contains(displayName.count) || displayName.contains(where: \.isNewline) {
            faults.append(InputFault("display_name", "is 1 to 200 characters on one line"))
        }
        if let url = dashboardURL,
            !(url.hasPrefix("https://") || url.hasPrefix("http://")) || url.utf8.count > 2_048 || url.contains(where: \.isWhitespace)
        {
            faults.append(InputFault("dashboard_url", "is an http or https URL"))
        }
        return faults
    }
}

/// How a change is made.
public struct ChangeOptions: Sendable {
    public var mode: ChangeMode = .merge
    /// No events: what comes is history.
    public var isHistory = false
    public var reason: String?
    public init() {}
}

/// The open transaction of a write. Whatever it does is committed together, events included, or not at all.
public protocol StoreWriter: AnyObject {
    /// Creates or updates the record that the input's `external_id` names, or makes a new one when it has none.
    ///
    /// - Parameter refusal: asked when the record is there and would change: a reason refuses the change.
    /// - Throws: ``InputFaults`` with nothing of this change done.
    func apply(
        _ input: RecordInput, in organization: Organization, options: ChangeOptions, refusal: () throws -> String?
    ) throws -> ChangeOutcome
    /// Changes the record of that id. Nil when there is none.
    func change(
        _ id: RecordID, by input: RecordInput, in organization: Organization, options: ChangeOptions
    ) throws -> ChangeOutcome?
    /// Deletes, and tombstones what belongs to it. False when there is none.
    func delete(_ id: RecordID, in organization: Organization, options: ChangeOptions) throws -> Bool
    /// Does what still waits to be done together, so that whatever is wrong with it shows now and not at the commit.
    func settle() throws
}

extension StoreWriter {
    public func apply(_ input: RecordInput, in organization: Organization, options: ChangeOptions) throws -> ChangeOutcome {
        try apply(input, in: organization, options: options) { nil }
    }
}

/// Adds what calls of the API have cost a key.
public struct KeyUsage: Sendable {
    public var count: Int64
    public var lastUsedAt: Timestamp
    public init(count: Int64, lastUsedAt: Timestamp) {
        self.count = count
        self.lastUsedAt = lastUsedAt
    }
}

/// The write side of the store.
public protocol WriteStore: Sendable {
    func write<Result>(_ body: (any StoreWriter) throws -> Result) throws -> Result
    func record(usage: [String: KeyUsage]) throws
}

/// The time, injected. Source of every time in the program.
public protocol TimeSource: Sendable {
    /// The wall clock.
    var now: Timestamp { get }
}

/// A text told apart byte for byte, as tables do; Swift's own `==` takes canonically equivalent texts for one.
public struct ExactText: Hashable, Sendable {
    public let text: String
    public init(_ text: String) { self.text = text }

    public static func == (left: ExactText, right: ExactText) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Remembers on which line of a file each `external_id` stood first, in flat memory however long the file is.
public protocol SeenRows: AnyObject {
    func line(of externalID: String) throws -> Int?
    func remember(_ externalID: String, line: Int, of input: RecordInput) throws
    /// What the file gave first; nil where inputs are not kept.
    func first(of externalID: String) throws -> RecordInput?
}
