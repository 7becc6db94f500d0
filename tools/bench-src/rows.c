// What the queries of limit.c have in common: filters as codes and ranks, candidates, and pages out of them.
//
// The loops over candidates have no branch on what they find: it would be guessed wrong too often.

#include "rows.h"

#include <string.h>

enum { BUCKET_BITS = 10, BUCKETS = 1 << BUCKET_BITS };

struct filter filter;
uint32_t *chosen;
size_t chosen_count;
static uint64_t *union_bits, *rank_bits, *rank_words;

void make_rows(void) {
    filter.owner_bits = allocate((fleet.owners.capacity / 64 + 1) * sizeof *filter.owner_bits);
    chosen = allocate((fleet.count + 1) * sizeof *chosen);
    union_bits = allocate(fleet.words * sizeof *union_bits);
    rank_bits = allocate((fleet.count / 4096 + 1) * 64 * sizeof *rank_bits);
    rank_words = allocate((fleet.count / 4096 + 1) * sizeof *rank_words);
}

static void resolve_values(const struct dictionary *d, const struct values *values, struct codes *codes) {
    codes->count = codes->rows = codes->mask = 0;
    for (size_t i = 0; i < values->count; i++) {
        uint32_t code = find_code(d, values->texts[i]);
        if (code == NO_CODE) continue;
        codes->codes[codes->count++] = code;
        codes->rows += d->sets[code].count;
        codes->mask |= 1ull << (code & 63);
    }
}

uint32_t rank_of(uint32_t seen) {
    uint32_t low = 0, high = fleet.count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (fleet.seen_by_rank[middle] < seen) low = middle + 1;
        else high = middle;
    }
    return low;
}

void resolve(const struct query *q) {
    resolve_values(&fleet.releases, &q->releases, &filter.releases);
    resolve_values(&fleet.hardware, &q->hardware, &filter.hardware);
    resolve_values(&fleet.owners, &q->owners, &filter.owners);
    filter.low = q->since ? rank_of(q->since + 1) : 0;
    filter.high = q->until ? rank_of(q->until) : fleet.count;
    for (size_t i = 0; i < filter.owners.count; i++) set_bit(filter.owner_bits, filter.owners.codes[i]);
}

void forget_owners(void) {
    for (size_t i = 0; i < filter.owners.count; i++) filter.owner_bits[filter.owners.codes[i] >> 6] = 0;
}

// Candidates.

size_t keep_release(const uint32_t *rows, size_t count, uint32_t *kept) {
    size_t kept_count = 0;
    for (size_t i = 0; i < count; i++) {
        kept[kept_count] = rows[i];
        kept_count += filter.releases.mask >> fleet.kinds[rows[i]].release & 1;
    }
    return kept_count;
}

size_t keep_hardware(const uint32_t *rows, size_t count, uint32_t *kept) {
    size_t kept_count = 0;
    for (size_t i = 0; i < count; i++) {
        kept[kept_count] = rows[i];
        kept_count += filter.hardware.mask >> fleet.kinds[rows[i]].hardware & 1;
    }
    return kept_count;
}

size_t keep_both(uint32_t *kept) {
    size_t count = 0;
    if (filter.releases.rows < fleet.words) {
        for (size_t i = 0; i < filter.releases.count; i++) {
            const struct rows *set = &fleet.releases.sets[filter.releases.codes[i]];
            count += keep_hardware(set->rows, set->count, kept + count);
        }
        return count;
    }
    memset(union_bits, 0, fleet.words * sizeof *union_bits);
    for (size_t i = 0; i < filter.releases.count; i++) {
        const struct rows *set = &fleet.releases.sets[filter.releases.codes[i]];
        for (uint32_t word = 0; set->bits && word < fleet.words; word++) union_bits[word] |= set->bits[word];
        for (uint32_t k = 0; !set->bits && k < set->count; k++) set_bit(union_bits, set->rows[k]);
    }
    for (uint32_t word = 0; word < fleet.words; word++) {
        uint64_t rest = 0;
        for (size_t i = 0; i < filter.hardware.count; i++)
            rest |= fleet.hardware.sets[filter.hardware.codes[i]].bits[word];
        for (rest &= union_bits[word]; rest; rest &= rest - 1) kept[count++] = word * 64 + first_bit(rest, true);
    }
    return count;
}

// Pages.

void choose(const uint32_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) chosen[chosen_count + i] = fleet.rank[rows[i]];
    chosen_count += count;
}

void choose_seen(const uint32_t *rows, size_t count) {
    uint32_t *next = chosen + chosen_count, low = filter.low, span = filter.high - filter.low;
    for (size_t i = 0; i < count; i++) {
        uint32_t rank = fleet.rank[rows[i]];
        *next = rank;
        next += rank - low < span;
    }
    chosen_count = (size_t)(next - chosen);
}

void choose_seen_of_owners(const uint32_t *rows, size_t count) {
    uint32_t *next = chosen + chosen_count, low = filter.low, span = filter.high - filter.low;
    for (size_t i = 0; i < count; i++) {
        struct seat seat = fleet.seats[rows[i]];
        *next = seat.rank;
        next += (seat.rank - low < span) & has_bit(filter.owner_bits, seat.owner);
    }
    chosen_count = (size_t)(next - chosen);
}

// Ranks in no order become a page: those that cannot be on it are left out, and the others are sorted as bits, with a
// bit for each word of them that says where they are.
void push_chosen(bool is_oldest_first) {
    if (chosen_count > 2 * PAGE_ROWS) {
        uint32_t counts[BUCKETS] = {0}, bits = 32 - (uint32_t)__builtin_clz(fleet.count), kept = 0, total = 0;
        uint32_t shift = bits > BUCKET_BITS ? bits - BUCKET_BITS : 0;
        for (size_t i = 0; i < chosen_count; i++) counts[chosen[i] >> shift]++;
        uint32_t bucket = is_oldest_first ? 0 : BUCKETS - 1;
        while ((total += counts[bucket]) < PAGE_ROWS) bucket += is_oldest_first ? 1 : -1u;
        uint32_t low = is_oldest_first ? 0 : bucket << shift;
        uint32_t span = is_oldest_first ? (bucket + 1) << shift : fleet.count;
        for (size_t i = 0; i < chosen_count; i++) {
            chosen[kept] = chosen[i];
            kept += chosen[i] - low < span;
        }
        chosen_count = kept;
    }
    for (size_t i = 0; i < chosen_count; i++) {
        set_bit(rank_bits, chosen[i]);
        set_bit(rank_words, chosen[i] >> 6);
    }
    uint32_t words = fleet.count / 4096 + 1, left = PAGE_ROWS;
    for (uint32_t i = 0; i < words; i++) {
        uint32_t at = is_oldest_first ? i : words - 1 - i;
        while (rank_words[at]) {
            uint32_t word = first_bit(rank_words[at], is_oldest_first);
            uint64_t bits = rank_bits[at * 64 + word];
            for (; bits && left; left--) {
                uint32_t bit = first_bit(bits, is_oldest_first);
                push(fleet.ids[fleet.order[at * 4096 + word * 64 + bit]]);
                bits &= ~(1ull << bit);
            }
            rank_bits[at * 64 + word] = 0;
            rank_words[at] &= ~(1ull << word);
        }
    }
    chosen_count = 0;
}
