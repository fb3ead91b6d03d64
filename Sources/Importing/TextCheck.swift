/// Whether a row's bytes are text: UTF-8 (Unicode 15, table 3-7) without NUL.
enum TextCheck {
    /// What is wrong with them, or nil.
    static func fault(in bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard let start = bytes.baseAddress else { return nil }
        var index = 0
        while index < bytes.count {
            if index &+ 8 <= bytes.count, ByteOctet(start + index).isPlain {
                index &+= 8
                continue
            }
            let byte = bytes[index]
            if byte == 0 { return "a NUL byte at byte \(index + 1) of the row" }
            let length = byte < 0x80 ? 1 : sequenceLength(bytes, at: index)
            if length == 0 { return "not valid UTF-8 at byte \(index + 1) of the row" }
            index &+= length
        }
        return nil
    }

    /// The length of the well-formed sequence that starts here with a byte of 0x80 or more; 0 where there is none.
    private static func sequenceLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[index] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return 0 }
        for offset in 2..<max(length, 2) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
