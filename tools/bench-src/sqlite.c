// Answers the bench's queries from an SQLite database, in process.
//
//   sqlite DATABASE QUERIES
//
// A parameter set is its SQL, prepared once; what is timed is stepping through the rows. The database lies in memory as
// mapped pages, so nothing is read or copied.

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"

static sqlite3 *database;

static void check(int status) {
    if (status != SQLITE_OK) errno = 0, fail(sqlite3_errmsg(database));
}

static void *prepare(const char *name, char *sql) {
    (void)name;
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

static void run(void *query) {
    sqlite3_stmt *statement = query;
    int status, has_groups = sqlite3_column_count(statement) == 2;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        if (has_groups) {
            const char *text = (const char *)sqlite3_column_text(statement, 0);
            push_group(text, (size_t)sqlite3_column_bytes(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1));
        } else {
            push((uint64_t)sqlite3_column_int64(statement, 0));
        }
    }
    if (status != SQLITE_DONE) errno = 0, fail(sqlite3_errmsg(database));
    check(sqlite3_reset(statement));
}

int main(int argc, char **argv) {
    if (argc != 3) errno = EINVAL, fail("usage: sqlite DATABASE QUERIES");
    check(sqlite3_open_v2(argv[1], &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL));
    // Exclusive, so that no statement begins and ends with taking a lock of the file; what spills is sorted in memory.
    const char *settings = "PRAGMA mmap_size = 2147418112; PRAGMA cache_size = -2000000; PRAGMA temp_store = MEMORY; "
                           "PRAGMA locking_mode = EXCLUSIVE";
    check(sqlite3_exec(database, settings, NULL, NULL, NULL));
    return serve(&(struct peer){.prepare = prepare, .run = run}, argv[2]);
}
