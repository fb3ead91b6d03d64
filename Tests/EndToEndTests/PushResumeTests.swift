import Foundation
import Testing

/// A résumé's bytes, in and out.
@Suite struct PushResumeTests {
    private let folder: Folder
    private let pusher: Pusher

    init() throws {
        folder = try Folder()
        pusher = try Pusher(Server(folder("resumes.db")))
        for name in 0..<8 { _ = try pusher.stored("/candidates/c\(name)", #"{"full_name":"N"}"#) }
    }

    private static let pdf = Array("%PDF-1.7\n".utf8)

    /// Of 64 KB that come again and again, another number before each.
    private static func document(_ size: Int, seed: UInt8 = 1) -> [UInt8] {
        let block = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ Int(seed)) }
        var bytes = pdf
        while bytes.count < size { bytes += [seed, UInt8(truncatingIfNeeded: bytes.count >> 16)] + block }
        return Array(bytes.prefix(size))
    }

    private func put(_ name: String, _ bytes: [UInt8], _ type: String? = "application/pdf", _ fields: [String] = [], query: String = "")
        throws
        -> Response
    {
        try pusher.send("PUT", "/candidates/\(name)/resume" + query, bytes, type: type, fields)
    }

    private func download(_ name: String) throws -> Response {
        let id = try #require(try pusher.get("/candidates/\(name)").json["id"].string)
        return try pusher.server.get("/api/v1/candidates/\(id)/resume", key: pusher.key.token)
    }

    @Test func theSameBytesComeOut() throws {
        // given
        let bytes = Self.document(300_000)

        // when
        let answer = try put(
            "c0", bytes, "application/pdf", ["Content-Disposition: attachment; filename=\"x.pdf\"; filename*=UTF-8''Zo%C3%AB.pdf"])

        // then
        let resume = try answer.json["resume"]
        #expect(answer.status == 200 && answer["ETag"] == "\"2\"", "\(answer.text)")
        #expect(
            resume["file_name"].string == "Zoë.pdf" && resume["size"].int == 300_000 && resume["media_type"].string == "application/pdf")
        let stored = try download("c0")
        #expect(stored.status == 200 && stored.body == bytes && stored["Content-Type"] == "application/pdf")
        #expect(stored["Content-Disposition"]?.contains("Zo%C3%AB.pdf") == true)
        let reader = try pusher.server.makeKey()
        let id = try #require(try answer.json["id"].string)
        #expect(try pusher.server.get("/api/v1/candidates/\(id)/resume", key: reader.token).status == 403)

        // when: the same again
        let again = try put("c0", bytes, "application/pdf; charset=utf-8", query: "?file_name=Zo%C3%AB.pdf")

        // then
        #expect(again.status == 200 && again.text == answer.text)

        // when: other bytes of that length, and of another
        for bytes in [Self.document(300_000, seed: 2), Self.document(1_000)] {
            #expect(try put("c0", bytes, query: "?file_name=Zo%C3%AB.pdf").status == 200)
            #expect(try download("c0").body == bytes)
        }
        #expect(try pusher.get("/candidates/c0").json["version"].int == 4)

        // and: a replaced candidate keeps it, unless it is said to have none
        #expect(try pusher.put("/candidates/c0", #"{"full_name":"M"}"#).json["resume"]["size"].int == 1_000)
        #expect(try pusher.put("/candidates/c0", #"{"full_name":"M","resume":null}"#).json["resume"].isNull)
        #expect(try download("c0").status == 404)
    }

    @Test func aSizeIsTheFilesOwn() throws {
        for body in [#"{"resume":{"size":5}}"#, #"{"full_name":"N","resume":{"size":5,"file_name":"x"},"nothing":1}"#] {
            for answer in [
                try pusher.put("/candidates/c0", body), try pusher.patch("/candidates/c0", body), try pusher.put("/candidates/new", body),
            ] {
                #expect(answer.status == 422 && answer.faults["/resume/size"] != nil, "\(answer.text)")
            }
        }
        let batch = try pusher.post("/batch", #"{"records":[{"kind":"candidate","external_id":"c0","data":{"resume":{"size":5}}}]}"#)
        #expect(Array(batch.faults.keys) == ["/records/0/data/resume/size"], "\(batch.text)")
        // As it was read it may be said again, and with bytes it is theirs.
        #expect(try put("c0", Self.document(1_000)).status == 200)
        let read = try pusher.get("/candidates/c0")
        #expect(try pusher.put("/candidates/c0", read.text).text == read.text)
        #expect(try pusher.patch("/candidates/c0", #"{"resume":{"size":999}}"#).status == 422)
        let given = try pusher.patch("/candidates/c0", #"{"resume":{"size":999,"content":"YWJj"}}"#)
        #expect(try given.json["resume"]["size"].int == 3 && download("c0").body == Array("abc".utf8))
    }

    @Test func aTextThatWasReadFromOtherBytesGoes() throws {
        #expect(try put("c0", Self.document(1_000)).status == 200)
        #expect(try pusher.patch("/candidates/c0", #"{"resume":{"text":"a summary"}}"#).json["resume"]["text"].string == "a summary")
        #expect(try put("c0", Self.document(1_000)).json["resume"]["text"].string == "a summary")
        #expect(try put("c0", Self.document(1_001)).json["resume"]["text"].isNull)
    }

    @Test(arguments: [
        ("attachment; filename=cv.pdf", "", "cv.pdf"), ("attachment; filename=\"../../etc/passwd\"", "", "passwd"),
        ("attachment; filename=\"C:\\\\cv.pdf\"", "", "cv.pdf"), ("inline", "?file_name=a%2Fb.pdf", "b.pdf"),
        ("attachment; filename=cv.pdf", "?file_name=other.pdf", "other.pdf"), ("inline", "", nil),
        ("attachment; filename=\"a;b.pdf\"", "", "a;b.pdf"),
    ])
    func aFileIsNamedAsItWasSaid(field: String, query: String, name: String?) throws {
        let answer = try put("c1", Self.pdf, "application/pdf", ["Content-Disposition: \(field)"], query: query)
        #expect(try answer.status == 200 && answer.json["resume"]["file_name"].string == name, "\(answer.text)")
    }

    @Test func onlyWhatItSaysItIsAndWhatIsAllowedIsTaken() throws {
        let text = Array("plain text, é".utf8)
        for (type, bytes) in [
            (nil, Self.pdf), ("application/octet-stream", Self.pdf), ("text/html", Array("<html>".utf8)),
            ("image/svg+xml", Array("<svg>".utf8)),
            ("application/pdf", text), ("image/png", Self.pdf), ("text/plain", [0x61, 0]), ("application/msword", Self.pdf), ("a b/", text),
        ] as [(String?, [UInt8])] {
            let answer = try put("c2", bytes, type)
            #expect(answer.status == 415 && answer.code == "unsupported_media_type", "\(type ?? "none"): \(answer.status)")
        }
        for (type, bytes) in [
            ("text/plain", text), ("text/markdown", text), ("image/png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
            ("image/jpeg", [0xFF, 0xD8, 0xFF, 0xE0]),
            ("application/msword", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]), ("application/rtf", Array("{\\rtf1}".utf8)),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", [0x50, 0x4B, 3, 4]),
        ] as [(String, [UInt8])] {
            #expect(try put("c2", bytes, type).status == 200, "\(type)")
            #expect(try download("c2").body == bytes, "\(type)")
        }
        #expect(try put("c2", []).status == 422)
        #expect(try put("nobody", Self.pdf).status == 404)
        #expect(try put("c2", Self.pdf, query: "?file_name=" + String(repeating: "a", count: 256)).status == 400)
        #expect(try pusher.delete("/candidates/c3").status == 204)
        #expect(try put("c3", Self.pdf).status == 410)
    }

    @Test func overTenMegabytesAreRefusedHoweverTheyCome() throws {
        let largest = 10 << 20
        #expect(try put("c4", Self.document(largest + 1)).code == "body_too_large")
        let path = Pusher.base + "/candidates/c4/resume"
        let early = try pusher.connect()
        early.send(Server.request("PUT", path, key: pusher.key.token, ["Content-Type: application/pdf", "Content-Length: 99999999999"]))
        #expect(try early.receive().status == 413)
        let chunked = try pusher.connect()
        chunked.send(Server.request("PUT", path, key: pusher.key.token, ["Content-Type: application/pdf", "Transfer-Encoding: chunked"]))
        let piece = Array("100000\r\n".utf8) + Self.pdf + [UInt8](repeating: 1, count: (1 << 20) - Self.pdf.count) + [13, 10]
        for _ in 0..<11 { chunked.send(piece) }
        #expect(try chunked.receive().status == 413)
        #expect(try pusher.get("/candidates/c4").json["resume"].isNull)
    }

    /// In kilobytes.
    private func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pusher.server.process.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line.flatMap { Int($0.split(whereSeparator: { !$0.isNumber }).first ?? "") } ?? 0
    }

    @Test func manyAtOnceAreNeverInMemoryAsAWhole() throws {
        // given: the database's own cache is as full as it gets
        for round in 0..<8 { #expect(try put("c\(round)", Self.document(10 << 20, seed: UInt8(round + 100))).status == 200) }
        try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(pusher.server.process.pid)/clear_refs"))
        let before = try memory("VmRSS")

        // when: piece by piece, all at the same time
        let documents = (0..<8).map { Self.document(10 << 20, seed: UInt8($0 + 7)) }
        let connections = try documents.map { _ in try pusher.connect() }
        let requests = documents.enumerated().map { pusher.request("PUT", "/candidates/c\($0)/resume", $1, type: "application/pdf") }
        for start in stride(from: 0, to: requests[0].count, by: 1 << 20) {
            for (connection, request) in zip(connections, requests) {
                connection.send(Array(request[start..<min(start + 1 << 20, request.count)]))
            }
        }
        for connection in connections { #expect(try connection.receive().status == 200) }

        // then
        let grown = try memory("VmHWM") - before
        print("eight résumés of 10 MB at once: \(grown / 1_024) MB more memory at most")
        #expect(grown < 16 * 1_024)
        for (index, document) in documents.enumerated() { #expect(try download("c\(index)").body == document) }
    }
}
