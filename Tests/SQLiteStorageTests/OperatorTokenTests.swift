import Domain
import SQLiteStorage
import Testing

@Suite struct OperatorTokenTests {
    @Test func onlyTheTokenThatCountsIsAccepted() throws {
        // given
        let database = try OutboxBench().database
        var random = SystemRandomNumberGenerator()
        let (first, second) = (OperatorToken(using: &random), OperatorToken(using: &random))
        #expect(try !database.accepts(operatorToken: first.text))

        // when
        #expect(try database.addOperatorToken(first))
        #expect(try !database.addOperatorToken(second))

        // then
        #expect(try database.accepts(operatorToken: first.text))
        #expect(try !database.accepts(operatorToken: second.text))

        // when
        try database.setOperatorToken(second)

        // then
        #expect(try database.accepts(operatorToken: second.text))
        #expect(try !database.accepts(operatorToken: first.text))
    }

    @Test func aTokenIsKnownByItsPrefixAndItsCheckSum() throws {
        var random = SystemRandomNumberGenerator()
        let token = OperatorToken(using: &random)
        #expect(token.text.hasPrefix("hwop_") && token.text.utf8.count == 54)
        #expect(OperatorToken(token.text) == token)
        for wrong in ["", "hwop_", String(token.text.dropLast()), token.text + "0", "rk_" + token.text.dropFirst(3)] {
            #expect(OperatorToken(wrong) == nil)
        }
        let index = token.text.index(token.text.startIndex, offsetBy: 20)
        let other: Character = token.text[index] == "a" ? "b" : "a"
        #expect(OperatorToken(token.text.replacingCharacters(in: index...index, with: String(other))) == nil)
    }
}
