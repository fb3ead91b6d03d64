import Domain

/// How often things happened over time, as stacked bars that the server draws.
struct Chart {
    /// A kind of thing, with its colour's class.
    struct Series {
        let name: String
        let style: String
        let counts: [Int64]
        /// What it is made of: `401: 12, 404: 3`.
        var parts = ""
    }

    let id: String
    let title: String
    /// What one bar stands for.
    let step: String
    /// Under the first bar and the last.
    let ends: (String, String)
    let series: [Series]

    private static let width = 600.0
    private static let height = 96.0

    var total: Int64 { series.reduce(0) { $0 + $1.counts.reduce(0, +) } }

    /// What the template `chart` takes.
    var content: [String: Any] {
        let length = series.map(\.counts.count).max() ?? 0
        let sums = (0..<length).map { place in series.reduce(0) { $0 + $1.counts[place] } }
        let most = max(sums.max() ?? 0, 1)
        let step = Self.width / Double(max(length, 1))
        var bars: [[String: Any]] = []
        for place in 0..<length {
            var bottom = Self.height
            for series in series where series.counts[place] > 0 {
                // Seen, however small beside the others.
                let height = max(Double(series.counts[place]) / Double(most) * Self.height, 1.5)
                bottom -= height
                bars.append([
                    "style": series.style, "x": Self.figure(Double(place) * step + step * 0.1), "y": Self.figure(max(bottom, 0)),
                    "width": Self.figure(step * 0.8), "height": Self.figure(height),
                ])
            }
        }
        let rows = series.map { ["name": $0.name, "style": $0.style, "total": Shown.number($0.counts.reduce(0, +)), "parts": $0.parts] }
        let words = rows.map { "\($0["total"] ?? "") \($0["name"] ?? "")" }.joined(separator: ", ")
        return [
            "id": id, "title": title, "step": self.step, "first": ends.0, "last": ends.1, "bars": bars, "isEmpty": total == 0,
            "most": Shown.number(most), "rows": rows, "words": total == 0 ? "\(title): none" : "\(title): \(words)",
        ]
    }

    private static func figure(_ value: Double) -> String { String((value * 100).rounded() / 100) }

    // MARK: What is counted

    /// Counts in so many equal steps, the last of which is now.
    static func counts(
        _ activity: [ActivityCount], now: Timestamp, steps: Int, minutes: Int64, _ isMeant: (ActivityLabel) -> Bool
    ) -> [Int64] {
        // The steps end where the hour or the quarter does, so that bars do not change shape as time goes on.
        let end = now.minute / minutes
        var counts = [Int64](repeating: 0, count: steps)
        for count in activity where isMeant(count.label) {
            let place = steps - 1 - Int(end - count.minute / minutes)
            if counts.indices.contains(place) { counts[place] += count.count }
        }
        return counts
    }

    static func requests(_ activity: [ActivityCount], now: Timestamp, id: String, span: Span) -> Chart {
        let classes: [(name: String, style: String, range: ClosedRange<Int>)] = [
            ("successful", "good", 200...399), ("refused", "warn", 400...499), ("failed", "bad", 500...599),
        ]
        return span.chart(
            id, "Requests to the API",
            classes.map { one in
                Series(
                    name: one.name, style: one.style,
                    counts: span.counts(activity, now) { $0.kind == .request && one.range.contains(Int($0.label) ?? 0) },
                    parts: parts(activity, now, span) { $0.kind == .request && one.range.contains(Int($0.label) ?? 0) })
            })
    }

    /// How often each label is meant, in their order.
    private static func parts(_ activity: [ActivityCount], _ now: Timestamp, _ span: Span, _ isMeant: (ActivityLabel) -> Bool) -> String {
        let labels = Set(activity.map(\.label).filter(isMeant)).sorted { $0.label < $1.label }
        return labels.compactMap { label in
            let count = span.counts(activity, now) { $0 == label }.reduce(0, +)
            return count > 0 ? "\(label.label): \(Shown.number(count))" : nil
        }.joined(separator: ", ")
    }

    static func attempts(_ activity: [ActivityCount], now: Timestamp, id: String, span: Span) -> Chart {
        let outcomes = [
            ("delivered", "good", ["succeeded"]), ("to be tried again", "warn", ["retried"]), ("given up", "bad", ["failed", "parked"]),
        ]
        return span.chart(
            id, "Attempts to deliver",
            outcomes.map { name, style, labels in
                Series(name: name, style: style, counts: span.counts(activity, now) { $0.kind == .attempt && labels.contains($0.label) })
            })
    }

    /// What a chart reaches over.
    enum Span: String {
        case hour, day

        func counts(_ activity: [ActivityCount], _ now: Timestamp, _ isMeant: (ActivityLabel) -> Bool) -> [Int64] {
            self == .hour
                ? Chart.counts(activity, now: now, steps: 60, minutes: 1, isMeant)
                : Chart.counts(activity, now: now, steps: 96, minutes: 15, isMeant)
        }

        func chart(_ id: String, _ title: String, _ series: [Series]) -> Chart {
            Chart(
                id: id, title: title + (self == .hour ? ", last hour" : ", last day"), step: self == .hour ? "minute" : "15 minutes",
                ends: self == .hour ? ("60 min ago", "now") : ("24 h ago", "now"), series: series)
        }
    }
}
