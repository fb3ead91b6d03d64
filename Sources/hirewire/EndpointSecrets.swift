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

    /// The desk with this database's key.
    ///
    /// - Throws: at the first secret where there are some and their key is not here.
    static func desk(of database: Database) -> WebhookDesk {
        WebhookDesk(database) { try box(of: database) }
    }

    /// The box with this database's key.
    private static func box(of database: Database) throws -> SecretBox {
        try SecretBox(
            variable: ProcessInfo.processInfo.environment[SecretBox.variable], database: database.path,
            holdsSecrets: database.hasSecrets())
    }

    /// What is wrong with a given secret is bad usage.
    static func asUsage<Result>(_ option: String = "--secret", _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let faults as InputFaults {
            guard let fault = faults.faults.first(where: { $0.pointer == "secret" }) else { throw faults }
            throw ValidationError("\(option): \(fault.message)")
        }
    }

    /// Whether every secret of the database can be opened with the key that is here.
    ///
    /// - Returns: what is in the way; nil where nothing is.
    static func fault(in database: Database) throws -> String? {
        do {
            return try box(of: database).fault(in: database.endpoints())?.description
        } catch let fault as SecretBoxFault { return "\(fault)" }
    }
}
