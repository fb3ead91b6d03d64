import Foundation
import NIOCore
import NIOSSL

/// Says why TLS did not come about.
enum TLSFailure {
    /// - Parameter certificate: the peer's own, if it was shown.
    static func reason(_ error: any Error, certificate: NIOSSLCertificate?) -> OutboundError {
        switch error {
        case NIOSSLError.unableToValidateCertificate: return .certificateNameMismatch
        case let error as NIOSSLExtraError
        where error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch:
            return .certificateNameMismatch
        case NIOSSLError.handshakeFailed(let cause): return reason(words(cause), certificate)
        case NIOSSLError.uncleanShutdown: return .closedEarly(.handshaking)
        case is IOError, is ChannelError: return .closedEarly(.handshaking)
        default: return .handshakeFailed("\(error)")
        }
    }

    private static func reason(_ words: String, _ certificate: NIOSSLCertificate?) -> OutboundError {
        if words.contains("EOF during handshake") { return .closedEarly(.handshaking) }
        guard words == "CERTIFICATE_VERIFY_FAILED" else { return .handshakeFailed(words) }
        // The library does not tell why; the certificate's own times do. (An expired one further up reads as untrusted.)
        let now = time(nil)
        if let certificate, certificate.notValidAfter < now { return .certificateExpired }
        if let certificate, certificate.notValidBefore > now { return .certificateNotYetValid }
        return .certificateNotTrusted
    }

    /// The library's reason without file names and numbers, as `WRONG_VERSION_NUMBER`.
    private static func words(_ error: BoringSSLError) -> String {
        switch error {
        case .sslError(let stack), .unknownError(let stack):
            guard let first = stack.first.map({ "\($0)" }) else { return "no reason given" }
            let from = first.range(of: "OPENSSL_internal:")?.upperBound ?? first.startIndex
            let to = first.range(of: " at ", range: from..<first.endIndex)?.lowerBound ?? first.endIndex
            return String(first[from..<to])
        default: return "\(error)"
        }
    }
}
