#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What is left on the disk.
enum DiskSpace {
    /// A transaction of an import may need as much.
    private static let least: UInt64 = 1 << 20

    /// Whether the disk that holds the file has too little room for a write; false where nobody can say.
    static func isFull(at path: String) -> Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) < least
    }
}
