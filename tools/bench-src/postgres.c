// Answers the bench's queries from PostgreSQL over its Unix socket: whole calls, every field of every device received.
//
//   postgres FOLDER USER QUERIES
//
// A parameter set is its SQL, prepared once, with its values in it, so that each has the plan that is best for it. Rows
// come in their binary form, which costs the server the least. FOLDER holds the socket.

#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

enum { NAME_BYTES = 16, GROUP_FIELDS = 2 };

static PGconn *connection;

static uint64_t number_at(const PGresult *rows, int row, int field) {
    uint64_t number;
    memcpy(&number, PQgetvalue(rows, row, field), sizeof number);
    return be64toh(number);
}

static void *prepare(const char *query, char *sql) {
    static unsigned count;
    char *name = malloc(NAME_BYTES);
    (void)query;
    if (!name) fail("memory");
    snprintf(name, NAME_BYTES, "s%u", count++);
    PGresult *result = PQprepare(connection, name, sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) errno = 0, fail(PQerrorMessage(connection));
    PQclear(result);
    return name;
}

static void run(void *name) {
    PGresult *rows = PQexecPrepared(connection, name, 0, NULL, NULL, NULL, 1);
    if (PQresultStatus(rows) != PGRES_TUPLES_OK) errno = 0, fail(PQerrorMessage(connection));
    for (int row = 0; row < PQntuples(rows); row++) {
        if (PQnfields(rows) != GROUP_FIELDS) {
            push(number_at(rows, row, 0));
        } else {
            const char *text = PQgetisnull(rows, row, 0) ? NULL : PQgetvalue(rows, row, 0);
            push_group(text, (size_t)PQgetlength(rows, row, 0), number_at(rows, row, 1));
        }
    }
    PQclear(rows);
}

int main(int argc, char **argv) {
    if (argc != 4) errno = EINVAL, fail("usage: postgres FOLDER USER QUERIES");
    const char *names[] = {"host", "user", "dbname", NULL}, *values[] = {argv[1], argv[2], "postgres", NULL};
    connection = PQconnectdbParams(names, values, 0);
    if (PQstatus(connection) != CONNECTION_OK) errno = 0, fail(PQerrorMessage(connection));
    return serve(&(struct peer){.prepare = prepare, .run = run, .is_remote = true}, argv[3]);
}
