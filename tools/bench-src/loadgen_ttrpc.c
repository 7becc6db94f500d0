// ttrpc for the load generator: a frame a call, a frame a reply.

#include <stdlib.h>
#include <string.h>

#include "loadgen.h"

enum { FRAME_DATA_BYTES_MAX = 4 << 20 };

static bool append_call(struct connection *c, const uint8_t *frame, size_t bytes, uint64_t now) {
    uint8_t *out = append(c, bytes);
    memcpy(out, frame, bytes);
    write_u32(out + 4, start_call(c, now));
    return true;
}

// A refusal is a status (field 1) whose code (its field 1) is not zero.
static bool is_refusal(const uint8_t *data, size_t bytes) {
    return bytes >= 4 && data[0] == 0x0a && data[1] != 0 && (data[1] & 0x80 ? data[3] : data[2]) == 0x08;
}

static size_t take(struct connection *c, uint64_t now) {
    size_t at = 0;
    while (c->in_count - at >= FRAME_HEADER_BYTES) {
        const uint8_t *frame = c->in + at;
        size_t bytes = read_u32(frame);
        if (bytes > FRAME_DATA_BYTES_MAX) reject("a reply is longer than the protocol allows");
        if (c->in_count - at < FRAME_HEADER_BYTES + bytes) {
            if (FRAME_HEADER_BYTES + bytes > c->in_capacity) {
                c->in_capacity = 2 * (FRAME_HEADER_BYTES + bytes);
                if (!(c->in = realloc(c->in, c->in_capacity))) fail("memory");
            }
            break;
        }
        bool is_refused = is_refusal(frame + FRAME_HEADER_BYTES, bytes);
        end_call(c, read_u32(frame + 4), now, FRAME_HEADER_BYTES + bytes, is_refused);
        at += FRAME_HEADER_BYTES + bytes;
    }
    return at;
}

const struct protocol ttrpc = {.append_call = append_call, .take = take};
