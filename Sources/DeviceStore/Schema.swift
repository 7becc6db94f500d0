// The tables, as numbered steps that never change once released, and a new database made with them.

internal import DeviceModel
internal import FoundationEssentials
internal import GRDB

/// What a database of this program looks like.
enum Schema {
    /// Marks the file as Rollcall's in SQLite's header (`application_id`): "Roll".
    static let applicationID: UInt32 = 0x526F_6C6C

    /// The number of the last step, which the file carries in its header (`user_version`).
    static let version: UInt32 = 3

    /// The steps from an empty file to ``version``. A released step is never edited; what changes is a further step.
    ///
    /// No table that grows with the fleet has an index beside its key: the core in memory answers every question, and each index would cost a
    /// page write for each row.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.execute(
                sql: """
                    CREATE TABLE head (
                      id INTEGER PRIMARY KEY CHECK (id = 1),
                      store_id BLOB NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL,
                      revision INTEGER NOT NULL, device INTEGER NOT NULL, project INTEGER NOT NULL,
                      cohort INTEGER NOT NULL, release INTEGER NOT NULL, attribute_key INTEGER NOT NULL,
                      folded_through INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE projects (
                      id INTEGER PRIMARY KEY, slug TEXT NOT NULL, name TEXT NOT NULL, created_date INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE cohorts (
                      id INTEGER PRIMARY KEY, project INTEGER NOT NULL, slug TEXT NOT NULL, name TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE releases (
                      id INTEGER PRIMARY KEY, project INTEGER NOT NULL, version TEXT NOT NULL, revision TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE attribute_keys (
                      id INTEGER PRIMARY KEY, project INTEGER NOT NULL, metric_id BLOB NOT NULL,
                      string_key TEXT NOT NULL, data_type INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE change_log (
                      revision INTEGER PRIMARY KEY, device INTEGER NOT NULL, record BLOB NOT NULL
                    ) STRICT;
                    CREATE TABLE log_segments (
                      through INTEGER PRIMARY KEY, time INTEGER NOT NULL, byte_count INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE devices (
                      id INTEGER PRIMARY KEY, last_seen INTEGER, last_seen_release INTEGER, cohort INTEGER NOT NULL,
                      updated_date INTEGER NOT NULL, etag_revision INTEGER NOT NULL, owner_ref TEXT NOT NULL,
                      hardware_version TEXT NOT NULL, project INTEGER NOT NULL, created_date INTEGER NOT NULL,
                      serial TEXT NOT NULL
                    ) STRICT;
                    CREATE TABLE attributes (
                      device INTEGER NOT NULL, key INTEGER NOT NULL, data_type INTEGER NOT NULL, value ANY NOT NULL,
                      time INTEGER NOT NULL, created_date INTEGER NOT NULL, updated_date INTEGER NOT NULL,
                      PRIMARY KEY (device, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE requests (
                      sequence INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, project TEXT NOT NULL,
                      method TEXT NOT NULL, request_id BLOB NOT NULL, body_digest INTEGER NOT NULL,
                      time INTEGER NOT NULL, subject INTEGER NOT NULL
                    ) STRICT;
                    PRAGMA application_id = \(applicationID);
                    PRAGMA user_version = 1;
                    """)
        }
        // What is deleted and may be referred to by the log; gone with the last change before `through`.
        migrator.registerMigration("2") { database in
            try database.execute(
                sql: """
                    CREATE TABLE retired (
                      kind INTEGER NOT NULL, id INTEGER NOT NULL, project INTEGER NOT NULL, name TEXT NOT NULL,
                      detail TEXT NOT NULL, through INTEGER NOT NULL, PRIMARY KEY (kind, id)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX retired_through ON retired (through);
                    PRAGMA user_version = 2;
                    """)
        }
        // Whether the file was closed properly, and nothing was written to it since.
        migrator.registerMigration("3") { database in
            try database.execute(
                sql: """
                    ALTER TABLE head ADD COLUMN is_clean INTEGER NOT NULL DEFAULT 0;
                    PRAGMA user_version = 3;
                    """)
        }
        return migrator
    }

    /// Makes a new database at `path`, whose file is there and empty: the project `default` with its cohort `default`.
    static func create(at path: String, now: Timestamp) throws(SQLiteFailure) {
        do {
            var configuration = Configuration()
            configuration.foreignKeysEnabled = false
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try self.migrator.migrate(queue)
            let storeID = withUnsafeBytes(of: UUID().uuid) { Data($0) }
            try queue.write { database in
                try database.execute(
                    sql: "INSERT INTO head VALUES (1, ?, 0, ?, 0, 0, 1, 1, 0, 0, 0, 1)",
                    arguments: [storeID, now.microseconds])
                try database.execute(
                    sql: "INSERT INTO projects (id, slug, name, created_date) VALUES (1, 'default', 'Default', ?)",
                    arguments: [now.microseconds])
                try database.execute(
                    sql: "INSERT INTO cohorts (id, project, slug, name) VALUES (1, 1, 'default', 'Default')")
            }
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
            try queue.close()
        } catch {
            throw SQLiteFailure(error)
        }
    }
}
