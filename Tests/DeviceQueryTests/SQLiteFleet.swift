// A fleet in a SQLite file, written and asked through the command line of SQLite.

import DeviceModel
import FoundationEssentials
import RollcallTesting
import Testing

/// The statements that put the devices of an oracle into tables: one row a device, one row an attribute.
struct SQLiteFleet {
    private let oracle: NaiveOracle

    init(_ oracle: NaiveOracle) {
        self.oracle = oracle
    }

    /// Answers each query with its rows, a column being a text without line breaks.
    ///
    /// - Throws: where there is no `sqlite3`, or it refuses a statement.
    func answers(_ queries: [String]) async throws -> [[String]] {
        let folder = try TemporaryFolder()
        let script = [".bail on", ".mode list", ".headers off", "BEGIN;"] + self.statements + ["COMMIT;"]
        let separated = queries.flatMap { [$0 + ";", "SELECT '#';"] }
        // Found along the path: where a distribution puts it is its own affair.
        let run = try await ChildProcess.run(
            "/usr/bin/env", ["sqlite3", "-batch", folder.path("fleet.db")],
            input: (script + separated).joined(separator: "\n") + "\n")
        try #require(
            run.end == .exit(0),
            "sqlite3 must be installed (the Debian package sqlite3) and take every statement: \(run.standardError)")
        var answers: [[String]] = [[]]
        for line in run.standardOutput.split(separator: "\n", omittingEmptySubsequences: true) {
            if line == "#" { answers.append([]) } else { answers[answers.count - 1].append(String(line)) }
        }
        return answers.dropLast()
    }

    private var statements: [String] {
        let schema = [
            "PRAGMA encoding = 'UTF-8';",
            """
            CREATE TABLE devices (
                id INTEGER PRIMARY KEY, created_date INTEGER, updated_date INTEGER, device_serial TEXT, owner_ref TEXT,
                hardware_version TEXT, last_seen INTEGER, release_id INTEGER, version TEXT, revision TEXT,
                cohort_id INTEGER, slug TEXT, cohort_name TEXT, etag TEXT);
            """,
            // A column without a type keeps integers, floats and texts as they are.
            "CREATE TABLE attributes (device INTEGER, key INTEGER, value, PRIMARY KEY (device, key));",
        ]
        return schema + self.oracle.entries.map(self.insertion) + self.oracle.entries.flatMap(self.attributeInsertions)
    }

    private func insertion(of entry: NaiveOracle.Entry) -> String {
        let fields: [FilterField] = [
            .id, .createdDate, .updatedDate, .deviceSerial, .ownerRef, .hardwareVersion, .lastSeen, .releaseID,
            .releaseVersion, .releaseRevision, .cohortID, .cohortSlug, .cohortName, .etag,
        ]
        let values = fields.map { field in self.oracle.value(field, of: entry).map(SQLiteLiteral.text) ?? "NULL" }
        return "INSERT INTO devices VALUES (\(values.joined(separator: ", ")));"
    }

    private func attributeInsertions(of entry: NaiveOracle.Entry) -> [String] {
        self.oracle.attributeKeys.values.compactMap { key in
            self.oracle.value(.attribute(key), of: entry).map { value in
                let row = "\(entry.id.rawValue), \(key.id.rawValue), \(SQLiteLiteral.text(value))"
                return "INSERT INTO attributes VALUES (\(row));"
            }
        }
    }
}

/// Values as SQL has them.
enum SQLiteLiteral {
    static func text(_ value: NaiveOracle.Value) -> String {
        switch value {
        case .integer(let number): "\(number)"
        case .float(let number): self.text(number)
        case .bool(let value): value ? "1" : "0"
        case .text(let text), .symbol(let text): self.text(Array(text.utf8))
        case .time(let time): "\(time.microseconds)"
        }
    }

    /// Whatever the bytes are; texts compare by them.
    static func text(_ bytes: [UInt8]) -> String {
        "CAST(X'\(self.hexadecimal(bytes))' AS TEXT)"
    }

    /// By its bits: digits are read to some fifteen places.
    static func text(_ number: Double) -> String {
        "ieee754_from_blob(X'\(self.hexadecimal(withUnsafeBytes(of: number.bitPattern.bigEndian, Array.init)))')"
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
