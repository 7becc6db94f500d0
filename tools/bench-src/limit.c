// The limit: what each of the bench's queries costs when it is written out by hand over plain arrays.
//
//   limit DEVICES QUERIES
//
// It does what the engine does and no more: texts of a filter in, ids of a page or a count out. Its arrays are such as
// an engine whose rows change can keep, but for the ranks, which stand for the best that an ordered index can be:
//
//   - columns by row: id, hardware and release, owner
//   - the rows of every hardware version, release and owner, ascending, and as a bitmap too where they are many
//   - the rows in the order of last seen and id, and the rank of each row in it
//
// It makes no page token, checks nothing, and knows nothing of cohorts, attributes and other orders.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

enum { FIELDS = 9, GROUPS_MAX = 64 };

static uint32_t *kept;

// Where more than one way leads to an answer, the counts tell which is the shortest.

static void take_newest(uint32_t high) {
    for (uint32_t low = high > PAGE_ROWS ? high - PAGE_ROWS : 0; high-- > low;) push(fleet.ids[fleet.order[high]]);
}

static void newest(const struct query *q) {  // Q1, Q8o
    uint64_t skipped = (uint64_t)(q->page - 1) * PAGE_ROWS;
    take_newest(skipped < fleet.count ? fleet.count - (uint32_t)skipped : 0);
}

static void newest_after(const struct query *q) {  // Q8c
    uint32_t rank = rank_of(q->after_seen);
    while (fleet.seen_by_rank[rank] == q->after_seen && fleet.ids[fleet.order[rank]] < q->after_id) rank++;
    take_newest(rank);
}

static void of_hardware(const struct query *q) {  // Q2, Q5
    resolve(q);
    walk(has_hardware);
}

static void choose_all(const struct dictionary *d, const struct codes *codes) {
    for (size_t i = 0; i < codes->count; i++) choose(d->sets[codes->codes[i]].rows, d->sets[codes->codes[i]].count);
}

static void of_releases(const struct query *q) {  // Q3
    resolve(q);
    choose_all(&fleet.releases, &filter.releases);
    push_chosen(q->is_oldest_first);
}

static void of_owners(const struct query *q) {  // Q4
    resolve(q);
    if (filter.owners.rows * filter.owners.rows > (uint64_t)PAGE_ROWS * fleet.count) {
        walk(has_owner);
    } else {
        choose_all(&fleet.owners, &filter.owners);
        push_chosen(q->is_oldest_first);
    }
    forget_owners();
}

static void of_all(const struct query *q) {  // Q6
    resolve(q);
    double count = fleet.count, candidates = (double)filter.releases.rows * (double)filter.hardware.rows / count;
    double steps = PAGE_ROWS / (candidates / count * (double)filter.owners.rows / count);
    if (steps < 10 * candidates + 20000) {
        walk(has_all);
    } else {
        choose_seen_of_owners(kept, keep_both(kept));
        push_chosen(q->is_oldest_first);
    }
    forget_owners();
}

static void choose_rare(const struct query *q) {
    resolve(q);
    for (size_t i = 0; i < filter.hardware.count; i++) {
        const struct rows *set = &fleet.hardware.sets[filter.hardware.codes[i]];
        choose_seen(kept, keep_release(set->rows, set->count, kept));
    }
}

static void of_rare(const struct query *q) {  // Q7a
    choose_rare(q);
    push_chosen(q->is_oldest_first);
}

static void of_two_sets(const struct query *q) {  // Q7b
    resolve(q);
    const uint64_t *left = fleet.releases.sets[filter.releases.codes[0]].bits;
    const uint64_t *right = fleet.hardware.sets[filter.hardware.codes[0]].bits;
    for (uint32_t word = 0; word < fleet.words; word += 16) {
        uint64_t any = 0;
        for (uint32_t i = word; i < word + 16; i++) any |= left[i] & right[i];
        for (uint32_t i = word; any && i < word + 16; i++)
            for (uint64_t rest = left[i] & right[i]; rest; rest &= rest - 1)
                chosen[chosen_count++] = fleet.rank[i * 64 + first_bit(rest, true)];
    }
    push_chosen(q->is_oldest_first);
}

static void count_everything(const struct query *q) { (void)q, push(fleet.count); }  // C1
static void count_hardware(const struct query *q) { resolve(q), push(filter.hardware.rows); }  // C2
static void count_releases(const struct query *q) { resolve(q), push(filter.releases.rows); }  // C3
static void count_owners(const struct query *q) { resolve(q), push(filter.owners.rows), forget_owners(); }  // C4

static void count_between(const struct query *q) {  // C5
    uint64_t count = 0;
    resolve(q);
    for (uint32_t rank = filter.low; rank < filter.high; rank++) count += has_hardware(fleet.order[rank]);
    push(count);
}

static void count_all(const struct query *q) {  // C6
    uint64_t count = 0;
    resolve(q);
    for (size_t i = keep_both(kept); i-- > 0;) {
        struct seat seat = fleet.seats[kept[i]];
        count += (seat.rank - filter.low < filter.high - filter.low) & has_bit(filter.owner_bits, seat.owner);
    }
    push(count);
    forget_owners();
}

static void count_rare(const struct query *q) {  // C7a
    choose_rare(q);
    push(chosen_count);
    chosen_count = 0;
}

static uint64_t count_in_both(const struct rows *left, const uint64_t *right) {
    uint64_t count = 0;
    if (!left->bits) {
        for (uint32_t i = 0; i < left->count; i++) count += has_bit(right, left->rows[i]);
        return count;
    }
    for (uint32_t i = 0; i < fleet.words; i++) count += (uint64_t)__builtin_popcountll(left->bits[i] & right[i]);
    return count;
}

static void count_two_sets(const struct query *q) {  // C7b
    resolve(q);
    const struct rows *hardware = &fleet.hardware.sets[filter.hardware.codes[0]];
    push(count_in_both(&fleet.releases.sets[filter.releases.codes[0]], hardware->bits));
}

struct group {
    const char *text;
    uint64_t count;
};

// The largest first; groups of equal size by their text, none before any.
static bool is_before(struct group left, struct group right) {
    if (left.count != right.count) return left.count > right.count;
    return !left.text || (right.text && strcmp(left.text, right.text) < 0);
}

static void count_groups(const struct query *q) {  // G1, G2
    struct group groups[GROUPS_MAX];
    resolve(q);
    const struct rows *within = q->hardware.count ? &fleet.hardware.sets[filter.hardware.codes[0]] : NULL;
    uint64_t without = within ? within->count : fleet.count;
    size_t count = 0;
    for (uint32_t code = 0; code <= fleet.releases.count; code++) {
        struct group group = {NULL, without};
        if (code < fleet.releases.count) {
            const struct rows *set = &fleet.releases.sets[code];
            group = (struct group){fleet.releases.texts[code], within ? count_in_both(set, within->bits) : set->count};
            without -= group.count;
        }
        if (!group.count) continue;
        size_t at = count++;
        for (; at && is_before(group, groups[at - 1]); at--) groups[at] = groups[at - 1];
        groups[at] = group;
    }
    for (size_t i = 0; i < count; i++)
        push_group(groups[i].text, groups[i].text ? strlen(groups[i].text) : 0, groups[i].count);
}

static void read_values(struct values *values, char *text) {
    for (char *value; (value = strsep(&text, " "));)
        if (*value) values->texts[values->count++] = value;
}

static void *prepare(const char *name, char *line) {
    static const struct { const char *name; void (*answer)(const struct query *); } answers[] = {
        {"Q1", newest}, {"Q2", of_hardware}, {"Q3", of_releases}, {"Q4", of_owners}, {"Q5", of_hardware},
        {"Q6", of_all}, {"Q7a", of_rare}, {"Q7b", of_two_sets}, {"Q8c", newest_after}, {"Q8o", newest},
        {"C1", count_everything}, {"C2", count_hardware}, {"C3", count_releases}, {"C4", count_owners},
        {"C5", count_between}, {"C6", count_all}, {"C7a", count_rare}, {"C7b", count_two_sets},
        {"G1", count_groups}, {"G2", count_groups},
    };
    struct query *query = calloc(1, sizeof *query);
    char *fields[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) fields[i] = strsep(&line, "\t");
    if (!query || !fields[FIELDS - 1]) errno = 0, fail("a parameter set lacks fields");
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (!strcmp(name, answers[i].name)) query->answer = answers[i].answer;
    if (!query->answer) errno = 0, fail("there is a query that the limit does not know");
    query->is_oldest_first = !strcmp(fields[1], "oldest");
    query->page = (uint32_t)strtoul(fields[2], NULL, 10);
    sscanf(fields[3], "%u %u", &query->after_seen, &query->after_id);
    query->since = (uint32_t)strtoul(fields[4], NULL, 10);
    query->until = (uint32_t)strtoul(fields[5], NULL, 10);
    read_values(&query->releases, fields[6]);
    read_values(&query->hardware, fields[7]);
    read_values(&query->owners, fields[8]);
    return query;
}

static void run(void *query) { ((struct query *)query)->answer(query); }

int main(int argc, char **argv) {
    if (argc != 3) errno = EINVAL, fail("usage: limit DEVICES QUERIES");
    load_fleet(argv[1]);
    make_rows();
    kept = allocate((fleet.count + 1) * sizeof *kept);
    return serve(&(struct peer){.prepare = prepare, .run = run}, argv[2]);
}
