// Reads the bench's devices into arrays, each in the order of ids.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fleet.h"
#include "peer.h"

enum { FIELDS = 7, LARGE_PAGE_BYTES = 2 << 20, BITMAP_RARITY = 256 };

struct fleet fleet;

void *allocate(size_t bytes) {
    if (bytes < LARGE_PAGE_BYTES) {
        void *small = aligned_alloc(64, (bytes + 64) / 64 * 64);
        return small ? memset(small, 0, bytes) : (fail("memory"), NULL);
    }
    bytes = (bytes + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    void *large = aligned_alloc(LARGE_PAGE_BYTES, bytes);
    if (!large) fail("memory");
    madvise(large, bytes, MADV_HUGEPAGE);
    return memset(large, 0, bytes);
}

static uint32_t hash(const char *text, size_t bytes) {
    uint64_t words[TEXT_BYTES_MAX / 8] = {0}, value = bytes;
    memcpy(words, text, bytes);
    for (size_t i = 0; i < TEXT_BYTES_MAX / 8; i++) {
        value = (value ^ words[i]) * 0x9e3779b97f4a7c15;
        value ^= value >> 32;
    }
    return (uint32_t)value;
}

// The slot of a text, or the free one where it would be.
static struct slot *slot_of(const struct dictionary *d, const char *text, uint32_t *key) {
    size_t bytes = strlen(text);
    if (bytes >= TEXT_BYTES_MAX) errno = 0, fail("a value is too long");
    *key = hash(text, bytes);
    for (uint32_t at = *key & d->slot_mask;; at = (at + 1) & d->slot_mask) {
        struct slot *slot = &d->slots[at];
        if (slot->code == NO_CODE) return slot;
        if (slot->hash == *key && !memcmp(d->texts[slot->code], text, bytes + 1)) return slot;
    }
}

uint32_t find_code(const struct dictionary *d, const char *text) {
    uint32_t key;
    return slot_of(d, text, &key)->code;
}

static void start_dictionary(struct dictionary *d, uint32_t capacity) {
    d->capacity = capacity;
    d->slot_mask = 4 * capacity - 1;  // A power of two, less one.
    d->slots = allocate(4 * capacity * sizeof *d->slots);
    for (size_t i = 0; i < 4 * capacity; i++) d->slots[i].code = NO_CODE;
    d->texts = allocate(capacity * sizeof *d->texts);
    d->sets = allocate(capacity * sizeof *d->sets);
}

static uint32_t intern(struct dictionary *d, const char *text) {
    uint32_t key;
    struct slot *slot = slot_of(d, text, &key);
    if (slot->code == NO_CODE) {
        if (d->count == d->capacity) errno = 0, fail("there are too many values");
        strcpy(d->texts[d->count], text);
        *slot = (struct slot){.hash = key, .code = d->count++};
    }
    return slot->code;
}

static void add(struct rows *set, uint32_t row) {
    if (!(set->count & (set->count - 1))) {
        set->rows = realloc(set->rows, (set->count ? 2 * set->count : 1) * sizeof *set->rows);
        if (!set->rows) fail("memory");
    }
    set->rows[set->count++] = row;
}

// For the values that more than one device in `rarity` has.
static void add_bitmaps(struct dictionary *d, uint32_t rarity) {
    for (struct rows *set = d->sets; set < d->sets + d->count; set++) {
        if (set->count <= fleet.count / rarity) continue;
        set->bits = allocate(fleet.words * sizeof *set->bits);
        for (uint32_t i = 0; i < set->count; i++) set->bits[set->rows[i] >> 6] |= 1ull << (set->rows[i] & 63);
    }
}

static int compare_u64(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// Counts sort by place: its second above its row.
static void rank_rows(uint64_t *places) {
    qsort(places, fleet.count, sizeof *places, compare_u64);
    for (uint32_t rank = 0; rank < fleet.count; rank++) {
        fleet.seen_by_rank[rank] = places[rank] >> 32;
        fleet.order[rank] = (uint32_t)places[rank];
        fleet.rank[fleet.order[rank]] = fleet.seats[fleet.order[rank]].rank = rank;
    }
}

void load_fleet(const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0, count = 0;
    if (!file) fail(path);
    while (getline(&line, &room, file) > 0) count++;
    rewind(file);
    fleet.count = (uint32_t)count;
    fleet.words = (fleet.count / 64 + 16) / 16 * 16;
    start_dictionary(&fleet.hardware, 64);
    start_dictionary(&fleet.releases, 64);
    start_dictionary(&fleet.owners, 1 << 18);
    fleet.seats = allocate(count * sizeof *fleet.seats);
    fleet.kinds = allocate(count * sizeof *fleet.kinds);
    fleet.ids = allocate(count * sizeof *fleet.ids);
    uint32_t **columns[] = {&fleet.rank, &fleet.order, &fleet.seen_by_rank};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) *columns[i] = allocate(count * sizeof **columns[i]);
    uint64_t *places = allocate(count * sizeof *places);

    for (uint32_t row = 0; row < fleet.count && getline(&line, &room, file) > 0; row++) {
        char *fields[FIELDS], *rest = line;
        line[strcspn(line, "\n")] = 0;
        for (size_t i = 0; i < FIELDS; i++) fields[i] = strsep(&rest, "\t");
        if (!fields[FIELDS - 1]) errno = 0, fail("a device lacks fields");
        fleet.ids[row] = strtoul(fields[0], NULL, 10);
        fleet.seats[row].owner = intern(&fleet.owners, fields[2]);
        fleet.kinds[row].hardware = (uint8_t)intern(&fleet.hardware, fields[3]);
        fleet.kinds[row].release = *fields[6] ? (uint8_t)intern(&fleet.releases, fields[6]) : NO_RELEASE;
        add(&fleet.owners.sets[fleet.seats[row].owner], row);
        add(&fleet.hardware.sets[fleet.kinds[row].hardware], row);
        if (*fields[6]) add(&fleet.releases.sets[fleet.kinds[row].release], row);
        places[row] = strtoul(fields[5], NULL, 10) << 32 | row;
    }
    fclose(file);
    rank_rows(places);
    free(places);
    add_bitmaps(&fleet.hardware, UINT32_MAX);
    add_bitmaps(&fleet.releases, BITMAP_RARITY);
}
