// Finding the rows of a filter in the arrays of fleet.h, for limit.c: see rows.c.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet.h"
#include "peer.h"

#define INLINE static inline __attribute__((always_inline))

enum { PAGE_ROWS = 100, VALUES_MAX = 256 };

struct values {
    size_t count;
    const char *texts[VALUES_MAX];
};

struct query {
    void (*answer)(const struct query *);
    bool is_oldest_first;
    uint32_t page, since, until, after_seen, after_id;  // Seconds are strict bounds, or 0 for none.
    struct values releases, hardware, owners;
};

// What the values of a filter come to: their codes, and how many rows have them.
struct codes {
    size_t count, rows;
    uint32_t codes[VALUES_MAX];
    uint64_t mask;  // A bit for each, where the dictionary is small.
};

extern struct filter {
    struct codes releases, hardware, owners;
    uint64_t *owner_bits;
    uint32_t low, high;  // Ranks: from `low` to below `high`.
} filter;

// Ranks that were chosen for a page, in no order; there is room for all and one.
extern uint32_t *chosen;
extern size_t chosen_count;

void make_rows(void);

// Makes the filter that of a query. Its owners are to be forgotten before the next one.
void resolve(const struct query *query);
void forget_owners(void);
// The first rank whose device was seen at or after this second.
uint32_t rank_of(uint32_t seen);

// These write the rows that they keep and return how many there are; `kept` has room for one more.
size_t keep_release(const uint32_t *rows, size_t count, uint32_t *kept);
size_t keep_hardware(const uint32_t *rows, size_t count, uint32_t *kept);
// Those of the releases and the hardware: of rare releases one by one, of common ones as bitmaps.
size_t keep_both(uint32_t *kept);

void choose(const uint32_t *rows, size_t count);
void choose_seen(const uint32_t *rows, size_t count);
void choose_seen_of_owners(const uint32_t *rows, size_t count);
// Answers the first of the chosen ranks, or the last.
void push_chosen(bool is_oldest_first);

INLINE bool has_bit(const uint64_t *bits, uint32_t at) { return bits[at >> 6] >> (at & 63) & 1; }
INLINE void set_bit(uint64_t *bits, uint32_t at) { bits[at >> 6] |= 1ull << (at & 63); }

INLINE uint32_t first_bit(uint64_t bits, bool from_low) {
    return from_low ? (uint32_t)__builtin_ctzll(bits) : 63 - (uint32_t)__builtin_clzll(bits);
}

INLINE bool has_hardware(uint32_t row) { return filter.hardware.mask >> fleet.kinds[row].hardware & 1; }
INLINE bool has_release(uint32_t row) { return filter.releases.mask >> fleet.kinds[row].release & 1; }
INLINE bool has_owner(uint32_t row) { return has_bit(filter.owner_bits, fleet.seats[row].owner); }
INLINE bool has_all(uint32_t row) { return (has_release(row) & has_hardware(row)) && has_owner(row); }

// Goes through the order, the newest first, until the page is full.
INLINE void walk(bool (*qualifies)(uint32_t)) {
    const uint32_t *order = fleet.order;
    for (uint32_t low = filter.low, rank = filter.high, left = PAGE_ROWS; rank-- > low && left;) {
        uint32_t row = order[rank];
        if (qualifies(row)) push(fleet.ids[row]), left--;
    }
}
