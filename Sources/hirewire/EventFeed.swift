import ArgumentParser
import Domain
import Foundation
import SQLiteStorage

struct EventFeed: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Print the organization's events, in the order in which they were committed.",
        discussion: """
            For example:
              hirewire events --type candidate.status_changed --limit 20
              hirewire events --follow
              hirewire events --after 1042 --json | jq .subject.id

            A line has the time, the sequence, the type, the subject and the main
            facts, without e-mail addresses and phone numbers; --json prints the whole
            events, with personal data.
            """)
    @OptionGroup var common: Common
    @OptionGroup var place: InOrganization
    @Option(help: "Only events after this sequence; from the oldest that is kept unless given.") var after: Int64?
    @Option(help: "Ends after so many; all unless given.") var limit: Int?
    @Option(help: "Only these types, between commas.", completion: .eventTypes) var type: String?
    @Flag(help: "Goes on with what comes, until Ctrl-C.") var follow = false

    func run() throws {
        guard after ?? 0 >= 0 else { throw ValidationError("--after is a sequence, 0 or more") }
        guard limit ?? 1 >= 1 else { throw ValidationError("--limit is 1 or more") }
        var query = EventQuery()
        query.types = try Words.list(type, option: "--type")
        query.after = after
        let database = try common.open()
        let organization = try place.find(in: database)
        let interrupt = Interrupt()
        Stream.begin()
        var walk = Walk(
            readers: try ReaderPool(path: common.path), organization: organization.number, query: query, left: limit ?? .max,
            isJSON: common.isJSON, isStopped: interrupt.hasHappened)
        try walk.run(follow: follow)
        withExtendedLifetime(database) {}
    }

    /// Goes along the feed, a page at a time.
    private struct Walk {
        let readers: ReaderPool
        let organization: OrganizationNumber
        var query: EventQuery
        var left: Int
        let isJSON: Bool
        let isStopped: @Sendable () -> Bool

        private static let page = 100
        /// Between two looks at the mark that every commit moves, in microseconds.
        private static let pause: UInt32 = 50_000

        mutating func run(follow: Bool) throws {
            while true {
                let mark = readers.commitMark
                while try printPage() {}
                guard follow, left > 0 else { return }
                while readers.commitMark == mark {
                    if isStopped() || Stream.isClosed { return }
                    usleep(Self.pause)
                }
            }
        }

        /// False when there is no more for now.
        private mutating func printPage() throws -> Bool {
            query.limit = min(left, Self.page)
            var out = ByteWriter()
            let end = try readers.read { try $0.events(query, of: organization, personal: true, into: &out) }
            guard !end.expired else {
                throw Failure(
                    "events after \(query.after ?? 0) have expired; without --after, `hirewire events` begins with the oldest that is kept")
            }
            let lines = EventLine.split(out.bytes).map { isJSON ? $0 : EventLine.text($0) }
            left -= end.count
            query.after = end.lastSequence
            guard lines.isEmpty || Stream.write(lines.joined(separator: "\n") + "\n") else {
                left = 0
                return false
            }
            return end.hasMore && left > 0 && !isStopped()
        }
    }
}
