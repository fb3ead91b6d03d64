/// The elements of a JSON array, or a single object.
///
/// It follows brackets and strings alone; what an element holds is for the parser to judge. Brackets that do not
/// match end the reading, since nothing tells where the next element starts.
struct ElementFramer: RowFramer {
    private enum Place {
        case start
        /// Before an element; `afterComma` after one.
        case element(afterComma: Bool)
        /// After an element: a comma or the array's end.
        case afterElement
        case end
    }

    private var place = Place.start
    private var line = 1

    init() {}

    mutating func next(in window: inout ByteWindow) throws -> RowFrame? {
        while true {
            let byte = try skipSpace(in: &window)
            switch (place, byte) {
            case (.end, nil): return nil
            case (.end, _):
                throw ImportFileError(line: line, "something after the JSON value; one object a line is NDJSON")
            case (.start, nil): throw ImportFileError(line: line, "the file is empty, which is not JSON")
            case (_, nil): throw ImportFileError(line: line, "the file ends before its array is closed")
            case (.start, UInt8(ascii: "[")):
                window.consume(1)
                place = .element(afterComma: false)
            case (.start, UInt8(ascii: "{")):
                place = .end
                return try element(in: &window, insideArray: false)
            case (.start, _): throw ImportFileError(line: line, "neither a JSON array of objects nor an object")
            case (.afterElement, UInt8(ascii: ",")):
                window.consume(1)
                place = .element(afterComma: true)
            case (.afterElement, _), (.element(false), UInt8(ascii: "]")):
                window.consume(1)
                place = .end
            case (.element, UInt8(ascii: ",")), (.element, UInt8(ascii: "]")):
                place = .afterElement
                return .unusable(line: line, reason: "not JSON: a value is missing beside a comma", raw: [])
            case (.element, _):
                place = .afterElement
                return try element(in: &window, insideArray: true)
            }
        }
    }

    /// The byte after white space, not taken.
    private mutating func skipSpace(in window: inout ByteWindow) throws -> UInt8? {
        while true {
            let bytes = window.bytes
            let length = bytes.firstIndex { !$0.isJSONSpace } ?? bytes.count
            line += bytes.lineFeeds(before: length)
            window.consume(length)
            if length < bytes.count { return bytes[length] }
            guard try window.more() else { return nil }
        }
    }

    private mutating func element(in window: inout ByteWindow, insideArray: Bool) throws -> RowFrame {
        let start = line
        var scan = BracketScan(insideArray: insideArray)
        var isTooLong = false
        var raw: [UInt8] = []
        while true {
            let bytes = window.bytes
            let outcome = scan.advance(through: bytes)
            if case .mismatch = outcome {
                let there = line + bytes.lineFeeds(before: scan.position)
                throw ImportFileError(
                    line: start,
                    "the brackets of the value that starts here do not match (line \(there)); nothing after it was read"
                )
            }
            if case .end = outcome { return finish(&window, start, length: scan.position, isTooLong ? raw : nil) }
            if isTooLong || bytes.count > RowLimits.bytes {
                if !isTooLong { raw = bytes.excerpt }
                isTooLong = true
                line += bytes.lineFeeds(before: bytes.count)
                window.consume(bytes.count)
                scan.position = 0
            }
            guard try window.more() else {
                if scan.isOutside { return finish(&window, start, length: scan.position, isTooLong ? raw : nil) }
                throw ImportFileError(line: start, "the file ends inside the value that starts here")
            }
        }
    }

    private mutating func finish(
        _ window: inout ByteWindow, _ start: Int, length: Int, _ tooLong: [UInt8]?
    ) -> RowFrame {
        let bytes = UnsafeBufferPointer(rebasing: window.bytes.prefix(length))
        line += bytes.lineFeeds(before: length)
        window.consume(length)
        if let tooLong { return .unusable(line: start, reason: RowLimits.tooLong, raw: tooLong) }
        if length > RowLimits.bytes { return .unusable(line: start, reason: RowLimits.tooLong, raw: bytes.excerpt) }
        return .row(line: start, bytes: bytes)
    }
}
