import ArgumentParser
import Domain
import Foundation
import SQLiteStorage
import Webhooks

/// Signing secrets on their way in: read, checked, sealed.
enum EndpointSecrets {
    /// The secret that was given, `-` standing for the first line of standard input; nil where none was.
    static func read(_ option: String?) throws -> String? {
        guard let option, option == "-" else { return option }
        guard let line = readLine(), !line.isEmpty else { throw ValidationError("--secret -: standard input holds no secret") }
        return line
    }

    /// The secret of a new endpoint, by the rules of its dialect.
    static func new(given: String?, for dialect: DialectName) throws -> String? {
        var random = SystemRandomNumberGenerator()
        do throws(SecretFault) { return try Dialect.of(dialect).secrets.secret(given: given, using: &random) } catch {
            throw ValidationError("--secret: \(error)")
        }
    }

    /// The secret that takes another's place: the given one, or a new one.
    static func next(given: String?, for dialect: DialectName) throws -> String {
        if let given, let checked = try new(given: given, for: dialect) { return checked }
        var random = SystemRandomNumberGenerator()
        return Dialect.of(dialect).secrets.make(using: &random)
    }

    /// No secret at all, where the dialect allows it.
    static func noSecret(for dialect: DialectName) throws -> String? {
        guard Dialect.of(dialect).secrets.isOptional else {
            throw ValidationError("--none: deliveries of the dialect \(dialect.rawValue) are always signed")
        }
        return nil
    }

    /// The box with this database's key.
    ///
    /// - Throws: where there are secrets and their key is not here.
    static func box(of database: Database) throws -> SecretBox {
        try SecretBox(
            variable: ProcessInfo.processInfo.environment[SecretBox.variable], database: database.path,
            holdsSecrets: database.hasSecrets())
    }

    /// Makes sure that the key is the one of the secrets that are stored already: sealed with another, a new one would only
    /// be found to be lost when it is needed.
    static func check(_ box: SecretBox, against database: Database) throws {
        for endpoint in try database.endpoints() {
            guard let secret = endpoint.secret else { continue }
            _ = try box.open(secret, of: endpoint.id)
            return
        }
    }

    /// Whether every secret of the database can be opened with the key that is here.
    ///
    /// - Returns: what is in the way; nil where nothing is.
    static func fault(in database: Database) throws -> String? {
        do {
            let box = try box(of: database)
            for endpoint in try database.endpoints() {
                for secret in [endpoint.secret, endpoint.previous?.secret].compactMap({ $0 }) { _ = try box.open(secret, of: endpoint.id) }
            }
            return nil
        } catch let fault as SecretBoxFault { return "\(fault)" }
    }
}
