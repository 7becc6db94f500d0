// What the programs that answer the bench's queries share: see peer.c.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
    // Makes a parameter set of the named query ready from its line; what it returns is handed to `run` again and again.
    void *(*prepare)(const char *name, char *line);
    // Answers a prepared set: `push` for each id of a page, for a count or for each group.
    void (*run)(void *query);
    // Another process answers: its caches are its own affair.
    bool is_remote;
};

_Noreturn void fail(const char *what);
void push(uint64_t number);
// A group, named by text of this many bytes; NULL for those that have no value.
void push_group(const char *text, size_t bytes, uint64_t count);
// Takes commands from stdin until it ends. `queries` is a file of lines, each a query's name, a tab, a parameter set.
int serve(const struct peer *peer, const char *queries);
