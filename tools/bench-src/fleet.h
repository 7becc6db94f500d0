// The devices as arrays, for limit.c: see fleet.c.

#pragma once

#include <stddef.h>
#include <stdint.h>

enum { NO_CODE = UINT32_MAX, NO_RELEASE = 63, TEXT_BYTES_MAX = 16 };

// Rows with a value, ascending; `bits`, one for each row of the fleet, where they are many.
struct rows {
    uint32_t count, *rows;
    uint64_t *bits;
};

// Different texts of up to TEXT_BYTES_MAX, each with a code, from 0, and with the rows that have it.
struct dictionary {
    uint32_t count, capacity, slot_mask;
    struct slot { uint32_t hash, code; } *slots;
    char (*texts)[TEXT_BYTES_MAX];
    struct rows *sets;
};

struct kind {
    uint8_t hardware, release;
};

struct seat {
    uint32_t rank, owner;
};

// Row r is device r + 1. A device never seen has second 0 and the release NO_RELEASE.
extern struct fleet {
    uint32_t count, words;
    struct dictionary hardware, releases, owners;
    struct kind *kinds;
    struct seat *seats;
    uint32_t *rank, *order, *seen_by_rank;
    uint64_t *ids;
} fleet;

void load_fleet(const char *path);
uint32_t find_code(const struct dictionary *dictionary, const char *text);
// Zeroed, on large pages where the system has them: look-ups go to memory in no order.
void *allocate(size_t bytes);
