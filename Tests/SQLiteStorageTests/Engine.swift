import Domain
import Foundation
import Synchronization
import Testing

@testable import SQLiteStorage

/// What a storage engine offers to be put under the contract's suites: Domain's protocols, and what they leave out.
protocol StorageEngine: AnyObject, Sendable {
    var reading: any ReadStore { get }
    var writing: any WriteStore { get }
    func organization(_ name: String) throws -> Organization
    func erase(_ candidate: RecordID, in organization: Organization) throws -> Bool
    /// Leaves no erased byte in the files.
    func scrub() throws
    func expireEvents(before moment: Timestamp) throws -> Int
    func addKey(in organization: Organization) throws -> String
    /// Every byte that the engine keeps.
    func storedBytes() throws -> [UInt8]
    /// The same data, opened again.
    func reopened() throws -> any StorageEngine
}

/// The engine that the suites run on. Another one is put in here.
func makeEngine(_ clock: any TimeSource) throws -> any StorageEngine {
    try SQLiteEngine(folder: TemporaryFolder(), time: clock)
}

final class SQLiteEngine: StorageEngine {
    let database: Database
    let readers: ReaderPool
    private let folder: TemporaryFolder
    private let time: any TimeSource
    private let rendering: (any DeliveryRendering)?

    init(folder: TemporaryFolder, time: any TimeSource, rendering: (any DeliveryRendering)? = PlainRendering()) throws {
        self.folder = folder
        self.time = time
        self.rendering = rendering
        database = try Database(path: folder.path + "/hirewire.db", time: time, rendering: rendering)
        readers = try ReaderPool(path: database.path)
    }

    var reading: any ReadStore { readers }
    var writing: any WriteStore { database }

    func organization(_ name: String) throws -> Organization {
        try database.organization(named: name) ?? database.addOrganization(name: name)
    }

    func erase(_ candidate: RecordID, in organization: Organization) throws -> Bool {
        try database.erase(candidate.ulid, in: organization)
    }

    func scrub() throws {
        // As a service does ten times a second.
        readers.rest(all: true)
        try database.scrub()
    }
    func expireEvents(before moment: Timestamp) throws -> Int { try database.expireEvents(before: moment) }

    func addKey(in organization: Organization) throws -> String {
        var random = SystemRandomNumberGenerator()
        let token = APIKeyToken(using: &random)
        return try database.addKey(
            token, secretHash: [UInt8](repeating: 7, count: 32), name: "test", organization: organization, scopes: .read,
            rateLimit: 100, expiresAt: nil
        ).keyID
    }

    func storedBytes() throws -> [UInt8] {
        try ["", "-wal"].flatMap { suffix in
            let path = database.path + suffix
            return FileManager.default.fileExists(atPath: path) ? [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) : []
        }
    }

    func reopened() throws -> any StorageEngine { try SQLiteEngine(folder: folder, time: time, rendering: rendering) }
}

/// A folder that goes when nobody needs it any more.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "hirewire-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A clock that goes as it is told: at each look by `step`, which may be nothing or backwards.
final class TestClock: TimeSource {
    private struct State {
        var now: Timestamp
        var step: Int64
    }

    private let state: Mutex<State>

    init(_ start: String = "2026-01-01T00:00:00Z", step: Int64 = 1_000) {
        state = Mutex(State(now: Timestamp(rfc3339: start)!, step: step))
    }

    /// What the next look will see; looking moves it on.
    var now: Timestamp {
        state.withLock { state in
            defer { state.now = Timestamp(microseconds: state.now.microseconds + state.step) }
            return state.now
        }
    }

    /// What the clock shows, without a look.
    var shown: Timestamp { state.withLock { $0.now } }

    func move(by microseconds: Int64) {
        state.withLock { $0.now = Timestamp(microseconds: $0.now.microseconds + microseconds) }
    }

    func set(step: Int64) { state.withLock { $0.step = step } }
}

extension Workbench {
    /// For suites of what SQLite alone has.
    var database: Database { get throws { try #require(engine as? SQLiteEngine).database } }
}
