// HPACK (RFC 7541), as much as a reply takes: every field is decoded, and all that is kept is whether it is one of two.

#ifndef LOADGEN_HPACK_H
#define LOADGEN_HPACK_H

#include <stddef.h>
#include <stdint.h>

// What fields say, a bit each.
enum { SAYS_HTTP_OK = 1, SAYS_GRPC_OK = 2 };

enum header_name { NAME_OTHER, NAME_STATUS, NAME_GRPC_STATUS };

enum { HEADER_TABLE_BYTES = 4096, ENTRY_OVERHEAD_BYTES = 32, ENTRIES_MAX = HEADER_TABLE_BYTES / ENTRY_OVERHEAD_BYTES };

struct header_entry {
    uint16_t name_bytes, bytes;
    enum header_name name;
    unsigned says;
};

// The dynamic table, the newest entry last; all zero but for `bytes_max` when new.
struct header_table {
    struct header_entry entries[ENTRIES_MAX];
    size_t next, count, bytes, bytes_max;
};

// What the fields of a block say together. Ends the program where the block is broken.
unsigned read_headers(struct header_table *, const uint8_t *block, size_t bytes);

#endif
