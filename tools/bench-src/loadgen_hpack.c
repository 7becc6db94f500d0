// See loadgen_hpack.h. Texts are looked at once, when they enter the table; an index costs a look into an array.

#include "loadgen_hpack.h"

#include <stdbool.h>
#include <string.h>

#include "loadgen.h"

enum { STATIC_COUNT = 61, STATUS_FIRST = 8, STATUS_LAST = 14, TEXT_BYTES_MAX = 8192, CODE_BITS_MAX = 19 };

// An entry's size counts its name, and so must be known of the names of the static table.
static const uint8_t static_name_bytes[STATIC_COUNT + 1] = {
    0, 10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13,
    12, 6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
};

// The Huffman code is canonical: how many codes there are of each length, and their bytes in order, say it all. Those
// of more bits stand for bytes that no gRPC header may hold.
static const uint8_t codes_by_bits[CODE_BITS_MAX + 1] = {
    [5] = 10, [6] = 26, [7] = 32, [8] = 6, [10] = 5, [11] = 3, [12] = 2, [13] = 6, [14] = 2, [15] = 3, [19] = 3};
static const char code_bytes[] =
    "012aceiost %-./3456789=A_bdfghlmnpru:BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz&*,;XZ!\"()?'+|#>\0$@[]~^}<`{\\\xc3\xd0";

struct input {
    const uint8_t *at, *end;
};

struct text {
    size_t bytes;
    char value[TEXT_BYTES_MAX];
};

static uint8_t read_byte(struct input *in) {
    if (in->at == in->end) reject("a header block ends early");
    return *in->at++;
}

// The lowest `bits` of `first`, and what follows where they are all ones.
static size_t read_integer(struct input *in, uint8_t first, unsigned bits) {
    size_t mask = (1u << bits) - 1, value = first & mask;
    if (value < mask) return value;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
        uint8_t byte = read_byte(in);
        value += (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    reject("a number in a header block is too large");
}

static void decode_huffman(struct text *text, const uint8_t *in, size_t bytes) {
    text->bytes = 0;
    // Of the codes of the present length: the first one, and the place of its byte.
    unsigned code = 0, length = 0, first = 0, place = 0;
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        if (++length > CODE_BITS_MAX) reject("a header holds a byte that gRPC does not allow");
        code = code << 1 | (in[bit / 8] >> (7 - bit % 8) & 1);
        unsigned count = codes_by_bits[length];
        if (code - first < count) {
            if (text->bytes == TEXT_BYTES_MAX) reject("a header is too long");
            text->value[text->bytes++] = code_bytes[place + code - first];
            code = length = first = place = 0;
        } else {
            place += count;
            first = (first + count) << 1;
        }
    }
    if (length > 7 || code != (1u << length) - 1) reject("a header ends within a character");
}

static void read_text(struct input *in, struct text *text) {
    uint8_t first = read_byte(in);
    size_t bytes = read_integer(in, first, 7);
    if (bytes > (size_t)(in->end - in->at)) reject("a header block ends early");
    if (first & 0x80) {
        decode_huffman(text, in->at, bytes);
    } else {
        if (bytes > TEXT_BYTES_MAX) reject("a header is too long");
        memcpy(text->value, in->at, text->bytes = bytes);
    }
    in->at += bytes;
}

static bool is(const struct text *text, const char *expected) {
    return text->bytes == strlen(expected) && !memcmp(text->value, expected, text->bytes);
}

// Makes room for `bytes` more.
static void evict(struct header_table *table, size_t bytes) {
    while (table->count && table->bytes + bytes > table->bytes_max) {
        table->bytes -= table->entries[(table->next - table->count--) % ENTRIES_MAX].bytes;
    }
}

// An entry larger than the table empties it, and is not added.
static void add(struct header_table *table, struct header_entry entry) {
    evict(table, entry.bytes);
    if (entry.bytes > table->bytes_max) return;
    table->entries[table->next++ % ENTRIES_MAX] = entry;
    table->bytes += entry.bytes;
    table->count++;
}

static struct header_entry entry_at(const struct header_table *table, size_t index) {
    if (!index || index > STATIC_COUNT + table->count) reject("a header block names entry %zu, which is none", index);
    if (index > STATIC_COUNT) return table->entries[(table->next - (index - STATIC_COUNT)) % ENTRIES_MAX];
    bool is_status = index >= STATUS_FIRST && index <= STATUS_LAST;
    return (struct header_entry){
        .name_bytes = static_name_bytes[index],
        .name = is_status ? NAME_STATUS : NAME_OTHER,
        .says = index == STATUS_FIRST ? SAYS_HTTP_OK : 0,
    };
}

// A field that is spelled out, at least its value.
static struct header_entry read_literal(struct input *in, const struct header_table *table, size_t name_index) {
    static struct text text;
    struct header_entry entry;
    if (name_index) {
        entry = entry_at(table, name_index);
    } else {
        read_text(in, &text);
        entry.name_bytes = (uint16_t)text.bytes;
        entry.name = is(&text, "grpc-status") ? NAME_GRPC_STATUS : is(&text, ":status") ? NAME_STATUS : NAME_OTHER;
    }
    read_text(in, &text);
    entry.bytes = (uint16_t)(entry.name_bytes + text.bytes + ENTRY_OVERHEAD_BYTES);
    entry.says = 0;
    if (entry.name == NAME_STATUS && is(&text, "200")) entry.says = SAYS_HTTP_OK;
    if (entry.name == NAME_GRPC_STATUS && is(&text, "0")) entry.says = SAYS_GRPC_OK;
    return entry;
}

unsigned read_headers(struct header_table *table, const uint8_t *block, size_t bytes) {
    struct input in = {block, block + bytes};
    unsigned says = 0;
    while (in.at < in.end) {
        uint8_t first = read_byte(&in);
        if (first & 0x80) {
            says |= entry_at(table, read_integer(&in, first, 7)).says;
        } else if (first & 0x40) {
            struct header_entry entry = read_literal(&in, table, read_integer(&in, first, 6));
            add(table, entry);
            says |= entry.says;
        } else if (first & 0x20) {
            table->bytes_max = read_integer(&in, first, 5);
            if (table->bytes_max > HEADER_TABLE_BYTES) reject("the server's header table is larger than was agreed");
            evict(table, 0);
        } else {
            says |= read_literal(&in, table, read_integer(&in, first, 4)).says;
        }
    }
    return says;
}
