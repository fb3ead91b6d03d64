/// Base 64 (RFC 4648): the standard alphabet with padding, and the URL-safe one without.
public enum Base64 {
    private static let digits: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
        table[Int(UInt8(ascii: "+"))] = 62
        table[Int(UInt8(ascii: "/"))] = 63
        return table
    }()

    /// Nil for anything that is not exactly the standard form.
    public static func decode(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count % 4 == 0 else { return nil }
        return decodeUnpadded(bytes.trimmingPadding(), table: digits)
    }

    /// Nil for anything that is not exactly the URL-safe form without padding.
    public static func decodeURLSafe(_ text: some StringProtocol) -> [UInt8]? {
        var table = digits
        table[Int(UInt8(ascii: "+"))] = 255
        table[Int(UInt8(ascii: "/"))] = 255
        table[Int(UInt8(ascii: "-"))] = 62
        table[Int(UInt8(ascii: "_"))] = 63
        return decodeUnpadded(Array(text.utf8)[...], table: table)
    }

    private static func decodeUnpadded(_ text: ArraySlice<UInt8>, table: [UInt8]) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var held = 0
        for byte in text {
            let digit = table[Int(byte)]
            guard digit < 64 else { return nil }
            bits = (bits << 6) | UInt32(digit)
            held += 6
            if held >= 8 {
                held -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        // Left-over bits must be zero, or two texts would stand for the same bytes.
        guard bits & ((1 << UInt32(held)) - 1) == 0 else { return nil }
        return out
    }

    /// The standard form, with padding.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        encode(bytes, last: "+/") + String(repeating: "=", count: (3 - bytes.count % 3) % 3)
    }

    public static func encodeURLSafe(_ bytes: some Collection<UInt8>) -> String { encode(bytes, last: "-_") }

    private static func encode(_ bytes: some Collection<UInt8>, last: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8) + last.utf8
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count * 4 + 2) / 3)
        var bits: UInt32 = 0
        var held = 0
        for byte in bytes {
            bits = (bits << 8) | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                out.append(alphabet[Int((bits >> UInt32(held)) & 63)])
            }
        }
        if held > 0 { out.append(alphabet[Int((bits << UInt32(6 - held)) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate func trimmingPadding() -> ArraySlice<UInt8> {
        var slice = self[...]
        for _ in 0..<2 where slice.last == UInt8(ascii: "=") { slice.removeLast() }
        return slice
    }
}
