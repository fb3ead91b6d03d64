/// Secrets that people carry about: 43 characters of base 62 (256 bits) and 6 of a check sum, so that a mistyped one is refused
/// without a look-up and a leaked one can be found by scanners.
enum CheckedSecret {
    static let randomLength = 43
    static let sumLength = 6
    static let length = randomLength + sumLength

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// - Parameter context: what the sum covers beside the random characters.
    static func make(context: String, using random: inout some RandomNumberGenerator) -> String {
        let body = (0..<randomLength).map { _ in alphabet[Int.random(in: 0..<62, using: &random)] }
        return String(decoding: body + sum(context: context, random: body), as: UTF8.self)
    }

    static func isWellFormed(_ secret: String, context: String) -> Bool {
        let bytes = secret.utf8
        guard bytes.count == length else { return false }
        var value = checksum(context: context, random: bytes.prefix(randomLength))
        for byte in bytes.suffix(sumLength).reversed() {
            guard byte == alphabet[Int(value % 62)] else { return false }
            value /= 62
        }
        return true
    }

    private static func checksum(context: String, random: some Sequence<UInt8>) -> UInt32 {
        CRC32.checksum(random, after: CRC32.checksum(context.utf8))
    }

    private static func sum(context: String, random: some Sequence<UInt8>) -> [UInt8] {
        var value = checksum(context: context, random: random)
        var digits: [UInt8] = []
        for _ in 0..<sumLength {
            digits.append(alphabet[Int(value % 62)])
            value /= 62
        }
        return digits.reversed()
    }
}
