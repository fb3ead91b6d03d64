import Crypto
import Domain

/// What the receiving side makes of a delivery.
public enum Verification: Equatable, Sendable {
    case accepted
    /// Says why, without anything of a secret.
    case refused(String)
}

/// A delivery as its receiver has it.
struct ReceivedDelivery: Sendable {
    let headers: [HeaderField]
    let body: [UInt8]
    let now: Timestamp

    /// Seconds that a signed time may be away from now, either way.
    static let tolerance: Int64 = 300

    /// The value of the header that is there exactly once; its name in any case.
    func only(_ name: String) -> String? {
        let values = headers.filter { $0.name.lowercased() == name.lowercased() }
        return values.count == 1 ? values[0].value : nil
    }

    /// Why a signed time is refused; nil when it is right.
    func timeFault(_ text: String, in header: String) -> String? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let seconds = Int64(text) else {
            return "the time in \(header) is no number of Unix seconds"
        }
        let age = now.unixSeconds - seconds
        if age > Self.tolerance { return "the time in \(header) is older than \(Self.tolerance) seconds" }
        if age < -Self.tolerance { return "the time in \(header) is more than \(Self.tolerance) seconds ahead" }
        return nil
    }
}

extension Dialect {
    /// Checks a delivery as a receiver does: the signature, compared in constant time, and where there is a signed time that
    /// it is at most 5 minutes away.
    ///
    /// - Parameter secrets: those that may have signed, several during a rotation; empty where there is none, which only a
    ///   dialect that allows it accepts.
    public func verify(headers: [HeaderField], body: [UInt8], secrets given: [String], now: Timestamp) -> Verification {
        var keys: [SymmetricKey] = []
        for secret in given {
            do throws(SecretFault) { keys.append(try secrets.key(of: secret)) } catch { return .refused(error.description) }
        }
        guard !keys.isEmpty else {
            return secrets.isOptional ? .accepted : .refused("there is no secret to verify with")
        }
        return signature.check(ReceivedDelivery(headers: headers, body: body, now: now), keys)
    }
}
