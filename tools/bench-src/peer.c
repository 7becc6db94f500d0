// The side of a program that the bench talks to: a line in, a line of JSON out.
//
//   answer NAME         {"answers": [[number or [group, count], …] for each parameter set]}
//   time NAME SECONDS   {"best": [ns of each set], "median": [the same], "sums": [of each set's answer], "rounds": n}
//
// Sets are run in turn, all of them each round. Before each, 2 MiB of something else are touched: in a server that has
// other things to do, a query finds the processor's own caches full of those. What reading the clock takes is left out.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer.h"

enum { SETS_MAX = 1 << 10, ROUNDS_MAX = 255, NUMBERS_MAX = 1 << 12, TEXT_BYTES_MAX = 1 << 16, OTHER_WORDS = 1 << 18 };

struct line {
    char *name, *text;
    void *query;
};

static struct line *lines;
static size_t line_count;
static uint64_t numbers[NUMBERS_MAX];
static size_t number_count;
static bool tells;
static struct { size_t start, bytes; } groups[NUMBERS_MAX];
static char texts[TEXT_BYTES_MAX];
static size_t text_bytes, group_count;

_Noreturn void fail(const char *what) {
    fprintf(stderr, "bench: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

void push(uint64_t number) {
    if (number_count == NUMBERS_MAX) errno = 0, fail("an answer is too long");
    numbers[number_count++] = number;
}

void push_group(const char *text, size_t bytes, uint64_t count) {
    if (tells) {
        if (text_bytes + bytes > TEXT_BYTES_MAX) errno = 0, fail("an answer is too long");
        if (text) memcpy(texts + text_bytes, text, bytes);
        groups[number_count].start = text ? text_bytes : SIZE_MAX;
        groups[number_count].bytes = bytes;
        text_bytes += bytes;
        group_count++;
    }
    push(count);
}

static void read_lines(const char *path) {
    FILE *file = fopen(path, "r");
    size_t capacity = 0, room = 0;
    char *text = NULL;
    if (!file) fail(path);
    for (ssize_t bytes; (bytes = getline(&text, &room, file)) > 0; text = NULL, room = 0) {
        if (text[bytes - 1] == '\n') text[bytes - 1] = 0;
        char *tab = strchr(text, '\t');
        if (!tab) errno = 0, fail("a parameter set has no name");
        *tab = 0;
        if (line_count == capacity) lines = realloc(lines, (capacity = 2 * capacity + 64) * sizeof *lines);
        if (!lines) fail("memory");
        lines[line_count++] = (struct line){.name = text, .text = tab + 1};
    }
    fclose(file);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare_u64(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void sort(uint64_t *values, size_t count) { qsort(values, count, sizeof *values, compare_u64); }

static uint64_t clock_ns(void) {
    uint64_t values[ROUNDS_MAX];
    for (size_t i = 0; i < ROUNDS_MAX; i++) {
        uint64_t began = now_ns();
        values[i] = now_ns() - began;
    }
    sort(values, ROUNDS_MAX);
    return values[ROUNDS_MAX / 2];
}

static void fill_caches(void) {
    static volatile uint64_t other[OTHER_WORDS];
    for (size_t i = 0; i < OTHER_WORDS; i += 8) other[i]++;
}

static void run(const struct peer *peer, const struct line *line) {
    number_count = group_count = text_bytes = 0;
    peer->run(line->query);
}

static void answer(const struct peer *peer, struct line *const *sets, size_t set_count) {
    tells = true;
    printf("{\"answers\": [");
    for (size_t set = 0; set < set_count; set++) {
        run(peer, sets[set]);
        printf(set ? ", [" : "[");
        for (size_t i = 0; i < number_count; i++) {
            if (i) printf(", ");
            if (!group_count) printf("%lu", numbers[i]);
            else if (groups[i].start == SIZE_MAX) printf("[null, %lu]", numbers[i]);
            else printf("[\"%.*s\", %lu]", (int)groups[i].bytes, texts + groups[i].start, numbers[i]);
        }
        printf("]");
    }
    printf("]}\n");
}

static void measure(const struct peer *peer, struct line *const *sets, size_t set_count, double seconds) {
    static uint64_t times[SETS_MAX][ROUNDS_MAX], sums[SETS_MAX];
    uint64_t reading = clock_ns(), end = now_ns() + (uint64_t)(seconds * 1e9);
    size_t rounds = 0;
    tells = false;
    do {
        for (size_t set = 0; set < set_count; set++) {
            if (!peer->is_remote) fill_caches();
            uint64_t began = now_ns();
            run(peer, sets[set]);
            uint64_t took = now_ns() - began, sum = 0;
            times[set][rounds] = took > reading ? took - reading : 0;
            for (size_t i = 0; i < number_count; i++) sum += numbers[i];
            sums[set] = sum;
        }
    } while (++rounds < ROUNDS_MAX && now_ns() < end);
    for (size_t set = 0; set < set_count; set++) sort(times[set], rounds);
    printf("{\"best\": [");
    for (size_t set = 0; set < set_count; set++) printf("%s%lu", set ? ", " : "", times[set][0]);
    printf("], \"median\": [");
    for (size_t set = 0; set < set_count; set++) printf("%s%lu", set ? ", " : "", times[set][rounds / 2]);
    printf("], \"sums\": [");
    for (size_t set = 0; set < set_count; set++) printf("%s%lu", set ? ", " : "", sums[set]);
    printf("], \"rounds\": %zu}\n", rounds);
}

int serve(const struct peer *peer, const char *queries) {
    static struct line *sets[SETS_MAX];
    char command[64], verb[16], name[16];
    read_lines(queries);
    printf("{}\n");
    fflush(stdout);
    while (fgets(command, sizeof command, stdin)) {
        double seconds = 0;
        size_t set_count = 0;
        if (sscanf(command, "%15s %15s %lf", verb, name, &seconds) < 2) errno = 0, fail("this is not a command");
        for (size_t i = 0; i < line_count && set_count < SETS_MAX; i++) {
            if (strcmp(lines[i].name, name)) continue;
            if (!lines[i].query) lines[i].query = peer->prepare(name, lines[i].text);
            sets[set_count++] = &lines[i];
        }
        if (!set_count) errno = 0, fail("there is no query of this name");
        if (!strcmp(verb, "answer")) answer(peer, sets, set_count);
        else measure(peer, sets, set_count, seconds);
        fflush(stdout);
    }
    return 0;
}
