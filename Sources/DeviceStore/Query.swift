// Every statement that runs more than once, so that the SQL of the store is read in one place.

/// What a row of `retired` was.
enum Retired {
    static let project = 1
    static let cohort = 2
    static let release = 3
}

/// A statement that a connection compiles on first use and keeps.
enum Query: Int, CaseIterable {
    // Transactions.
    case begin, commit, rollback
    // The head.
    case selectHead, updateHead, updateFolded, updateClean
    // The catalogue.
    case selectProjects, insertProject, deleteProject, deleteCohortsOfProject, deleteReleasesOfProject
    case deleteAttributeKeysOfProject
    case selectCohorts, insertCohort, renameCohort, deleteCohort
    case selectReleases, insertRelease, deleteRelease
    case selectAttributeKeys, insertAttributeKey
    // The change log.
    case insertRecord, selectRecords, selectFirstRevision, deleteRecords
    case selectOldestSegment, selectNewestSegment, insertSegment, deleteSegment, sumSegments
    // What the log refers to and is deleted.
    case retireProject, retireCohort, retireRelease, retireCohortsOfProject, retireReleasesOfProject
    case selectRetired, selectRetiredProject, deleteRetired
    // What follows from the log.
    case selectDevices, replaceDevice, updateDevice, updateFields, updateSighting, deleteDevice
    case selectAttributes, replaceAttribute, deleteAttribute, deleteAttributesOfDevice
    // Remembered requests.
    case selectRequests, insertRequest, selectRequestRange, selectOldestRequests, deleteRequests

    var sql: String {
        switch self {
        case .begin: "BEGIN IMMEDIATE"
        case .commit: "COMMIT"
        case .rollback: "ROLLBACK"

        case .selectHead:
            """
            SELECT store_id, sequence, time, revision, device, project, cohort, release, attribute_key, folded_through,
            is_clean FROM head
            """
        case .updateHead:
            // Matches no row where another writer was first.
            """
            UPDATE head SET sequence = ?1, time = ?2, revision = ?3, device = ?4, project = ?5, cohort = ?6,
            release = ?7, attribute_key = ?8 WHERE sequence = ?1 - 1
            """
        case .updateFolded: "UPDATE head SET folded_through = ?1"
        case .updateClean: "UPDATE head SET is_clean = ?1"

        case .selectProjects: "SELECT id, slug, name, created_date FROM projects ORDER BY id"
        case .insertProject: "INSERT INTO projects (id, slug, name, created_date) VALUES (?1, ?2, ?3, ?4)"
        case .deleteProject: "DELETE FROM projects WHERE id = ?1"
        case .deleteCohortsOfProject: "DELETE FROM cohorts WHERE project = ?1"
        case .deleteReleasesOfProject: "DELETE FROM releases WHERE project = ?1"
        case .deleteAttributeKeysOfProject: "DELETE FROM attribute_keys WHERE project = ?1"

        case .selectCohorts: "SELECT id, project, slug, name FROM cohorts ORDER BY id"
        case .insertCohort: "INSERT INTO cohorts (id, project, slug, name) VALUES (?1, ?2, ?3, ?4)"
        case .renameCohort: "UPDATE cohorts SET name = ?2 WHERE id = ?1"
        case .deleteCohort: "DELETE FROM cohorts WHERE id = ?1"

        case .selectReleases: "SELECT id, project, version, revision FROM releases ORDER BY id"
        case .insertRelease: "INSERT INTO releases (id, project, version, revision) VALUES (?1, ?2, ?3, ?4)"
        case .deleteRelease: "DELETE FROM releases WHERE id = ?1"

        case .selectAttributeKeys:
            "SELECT id, project, metric_id, string_key, data_type FROM attribute_keys ORDER BY id"
        case .insertAttributeKey:
            "INSERT INTO attribute_keys (id, project, metric_id, string_key, data_type) VALUES (?1, ?2, ?3, ?4, ?5)"

        case .insertRecord: "INSERT INTO change_log (revision, device, record) VALUES (?1, ?2, ?3)"
        case .selectRecords:
            """
            SELECT revision, device, record FROM change_log WHERE revision > ?1 AND revision <= ?2
            ORDER BY revision LIMIT ?3
            """
        case .selectFirstRevision: "SELECT min(revision) FROM change_log"
        case .deleteRecords: "DELETE FROM change_log WHERE revision <= ?1"

        case .selectOldestSegment: "SELECT through, time, byte_count FROM log_segments ORDER BY through LIMIT 1"
        case .selectNewestSegment: "SELECT through, time, byte_count FROM log_segments ORDER BY through DESC LIMIT 1"
        case .insertSegment: "INSERT OR REPLACE INTO log_segments (through, time, byte_count) VALUES (?1, ?2, ?3)"
        case .deleteSegment: "DELETE FROM log_segments WHERE through = ?1"
        case .sumSegments: "SELECT coalesce(sum(byte_count), 0) FROM log_segments"

        case .retireProject:
            "INSERT INTO retired SELECT \(Retired.project), id, id, slug, name, ?2 FROM projects WHERE id = ?1"
        case .retireCohort:
            "INSERT INTO retired SELECT \(Retired.cohort), id, project, slug, name, ?2 FROM cohorts WHERE id = ?1"
        case .retireRelease:
            "INSERT INTO retired SELECT \(Retired.release), id, project, version, revision, ?2 FROM releases WHERE id = ?1"
        case .retireCohortsOfProject:
            "INSERT INTO retired SELECT \(Retired.cohort), id, project, slug, name, ?2 FROM cohorts WHERE project = ?1"
        case .retireReleasesOfProject:
            """
            INSERT INTO retired SELECT \(Retired.release), id, project, version, revision, ?2 FROM releases
            WHERE project = ?1
            """
        case .selectRetired: "SELECT project, name, detail FROM retired WHERE kind = ?1 AND id = ?2"
        case .selectRetiredProject:
            "SELECT max(through) FROM retired WHERE kind = \(Retired.project) AND name = ?1"
        case .deleteRetired:
            """
            DELETE FROM retired WHERE (kind, id) IN (SELECT kind, id FROM retired
            WHERE through < (SELECT coalesce(min(revision), 9223372036854775807) FROM change_log)
            ORDER BY through LIMIT ?1)
            """

        case .selectDevices:
            """
            SELECT id, project, cohort, created_date, updated_date, etag_revision, last_seen, last_seen_release,
            serial, owner_ref, hardware_version FROM devices ORDER BY id
            """
        case .replaceDevice:
            """
            INSERT OR REPLACE INTO devices (id, last_seen, last_seen_release, cohort, updated_date, etag_revision,
            owner_ref, hardware_version, project, created_date, serial)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """
        case .updateDevice:
            """
            UPDATE devices SET last_seen = ?2, last_seen_release = ?3, cohort = ?4, updated_date = ?5,
            etag_revision = ?6, owner_ref = ?7, hardware_version = ?8 WHERE id = ?1
            """
        case .updateFields:
            """
            UPDATE devices SET cohort = ?4, updated_date = ?5, etag_revision = ?6, owner_ref = ?7, hardware_version = ?8
            WHERE id = ?1
            """
        case .updateSighting: "UPDATE devices SET last_seen = ?2, last_seen_release = ?3 WHERE id = ?1"
        case .deleteDevice: "DELETE FROM devices WHERE id = ?1"

        case .selectAttributes:
            """
            SELECT device, key, data_type, value, time, created_date, updated_date FROM attributes ORDER BY device, key
            """
        case .replaceAttribute:
            """
            INSERT OR REPLACE INTO attributes (device, key, data_type, value, time, created_date, updated_date)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """
        case .deleteAttribute: "DELETE FROM attributes WHERE device = ?1 AND key = ?2"
        case .deleteAttributesOfDevice: "DELETE FROM attributes WHERE device = ?1"

        case .selectRequests:
            """
            SELECT user_id, project, method, request_id, body_digest, time, subject FROM requests ORDER BY sequence
            """
        case .insertRequest:
            """
            INSERT INTO requests (user_id, project, method, request_id, body_digest, time, subject)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """
        case .selectRequestRange: "SELECT min(sequence), max(sequence) FROM requests"
        case .selectOldestRequests: "SELECT sequence, time FROM requests ORDER BY sequence LIMIT ?1"
        case .deleteRequests: "DELETE FROM requests WHERE sequence <= ?1"
        }
    }
}
