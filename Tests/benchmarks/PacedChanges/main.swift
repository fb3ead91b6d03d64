import Domain
import Foundation
import SQLiteStorage
import Webhooks

// A writer at a steady pace: each line of a file is a candidate, stored in a transaction of its own, as a single change
// from the shell is. `PacedChanges --database FILE --rows FILE --rate 200`, without a rate as fast as it goes; until the
// rows or its standard input end. `late` is how far behind its pace a change ever began, in milliseconds.

func option(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    return arguments[index + 1]
}

guard let path = option("--database"), let file = option("--rows") else {
    print("usage: PacedChanges --database FILE --rows FILE [--rate N]")
    exit(2)
}

let pause = option("--rate").flatMap { Double($0) }.map { 1 / $0 }
let rows = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
    try RecordInput(kind: .candidate, json: JSONParser.parse(String($0)))
}
let database = try Database(path: path, create: false, rendering: DialectRendering())
guard let organization = try database.organization(named: "default") else {
    print("there is no organization 'default'")
    exit(1)
}

let input = Thread {
    var byte: UInt8 = 0
    while read(0, &byte, 1) > 0 {}
    ended.signal()
}
let ended = DispatchSemaphore(value: 0)
input.start()

func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

let began = seconds()
var (count, late) = (0, 0.0)
for row in rows {
    let due = pause.map { began + Double(count) * $0 } ?? seconds()
    if ended.wait(timeout: .now() + max(0, due - seconds())) == .success { break }
    late = max(late, seconds() - due)
    _ = try database.write { try $0.apply(row, in: organization, options: ChangeOptions()) }
    count += 1
}
print("{\"count\":\(count),\"seconds\":\(seconds() - began),\"late\":\(late * 1_000)}")
