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
        return bytes.count == length && bytes.suffix(sumLength).elementsEqual(sum(context: context, random: bytes.prefix(randomLength)))
    }

    private static func sum(context: String, random: some Sequence<UInt8>) -> [UInt8] {
        var value = CRC32.checksum(Array(context.utf8) + Array(random))
        var digits: [UInt8] = []
        for _ in 0..<sumLength {
            digits.append(alphabet[Int(value % 62)])
            value /= 62
        }
        return digits.reversed()
    }
}
