import Domain

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file that holds the key, for its owner alone.
struct KeyFile {
    let path: String

    /// More than any key's text.
    private static let longest = 1_024

    /// Its text; nil where there is no such file.
    ///
    /// - Throws: where others can reach it, or it can't be read.
    func read() throws(SecretBoxFault) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("be read")
        }
        defer { close(descriptor) }
        // The file that was opened is asked, not whatever has the name by now.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("be read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .failed("the key file \(path) is no file") }
        let mode = UInt32(status.st_mode) & 0o777
        guard mode & 0o077 == 0 else { throw .readableByOthers(path, mode: mode) }
        var bytes = [UInt8](repeating: 0, count: Self.longest)
        var count = 0
        while count < bytes.count {
            let step = bytes[count...].withUnsafeMutableBytes { Self.read(descriptor, $0) }
            if step < 0, errno == EINTR { continue }
            guard step >= 0 else { throw failure("be read") }
            if step == 0 { break }
            count += step
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    /// Makes the file, durably and whole or not at all. Where another process was first, its text is what counts.
    ///
    /// - Returns: the text of the file that is there now.
    func create(_ text: String) throws(SecretBoxFault) -> String {
        let draft = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("be made") }
        defer { unlink(draft) }
        let written = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isSafe = written == text.utf8.count && fsync(descriptor) == 0
        close(descriptor)
        guard isSafe else { throw failure("be written") }
        // A link never replaces a file: of two processes one makes it.
        guard link(draft, path) == 0 || errno == EEXIST else { throw failure("be made") }
        try syncFolder()
        guard let text = try read() else { throw failure("be read") }
        return text
    }

    /// Makes the new name durable too.
    private func syncFolder() throws(SecretBoxFault) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("be made durable") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("be made durable") }
    }

    private func failure(_ what: String) -> SecretBoxFault {
        .failed("the key file \(path) can't \(what): \(String(cString: strerror(errno)))")
    }
}
