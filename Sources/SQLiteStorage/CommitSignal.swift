import Foundation

/// Tells whether anybody has committed, in whatever process, by a look at memory: the header of the WAL index, which
/// every writer updates at its commit. `PRAGMA data_version` answers the same question with a read transaction, four
/// system calls and three locks of the process.
///
/// Source: sqlite.org/walformat.html, 2.1: 48 bytes with a change counter and the last valid frame, written twice.
/// A header caught in the middle of an update differs from what was seen, which only means to look again.
final class CommitSignal: Sendable {
    struct Mark: Equatable, Sendable {
        var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

        /// The last valid frame of the journal, in the machine's own byte order (sqlite.org/walformat.html, 2.1).
        var frames: UInt32 { UInt32(truncatingIfNeeded: words.2) }

        static func == (left: Mark, right: Mark) -> Bool { left.words == right.words }
    }

    /// A frame of the journal: a page of SQLite's usual size and its header.
    static let bytesOfFrame = 4_096 + 24

    /// Mapped for good: the file lives as long as a connection is open, and closing it here would drop the locks that
    /// SQLite holds on it (POSIX advisory locks go with any descriptor of the process).
    private let address: UInt

    /// - Throws: ``DatabaseProblem`` when the index is not there; a connection must have the database open.
    init(path: String) throws {
        let descriptor = open(path + "-shm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, let memory = mmap(nil, 4_096, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw DatabaseProblem("the index of the write-ahead log, '\(path)-shm', can't be read")
        }
        address = UInt(bitPattern: memory)
    }

    var mark: Mark {
        guard let memory = UnsafeRawPointer(bitPattern: address) else { return Mark() }
        return Mark(words: memory.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64).self))
    }
}
