/// Finds what somebody most likely meant.
public enum Suggestion {
    /// The word at the smallest edit distance, when that is small beside the word's length.
    public static func closest(to word: String, in known: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let best = known.map { ($0, distance(Array(word.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }
        guard let best, best.1 <= max(1, min(3, word.utf8.count / 3)) else { return nil }
        return best.0
    }

    /// `; did you mean …?`, or nothing.
    public static func text(for word: String, in known: [String]) -> String {
        closest(to: word, in: known).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Levenshtein's distance, a swap of neighbours counting as one.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            for column in 0..<right.count {
                let substituted = previous[column] + (left[row] == right[column] ? 0 : 1)
                var best = min(substituted, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, older[column - 1] + 1)
                }
                current.append(best)
            }
            older = previous
            previous = current
        }
        return previous[right.count]
    }
}
