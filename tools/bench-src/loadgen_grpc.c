// gRPC for the load generator: unary calls over HTTP/2 (RFC 9113), framed as stock clients frame them.
//
// Each connection spells its headers out once and names them by their index from then on. Its windows let any reply in
// whole, so that a stream needs no more of them, and the connection's is renewed when half of it is used up.
//
// A call counts as refused unless its answer is :status 200, one whole message that is not compressed, and grpc-status
// 0 in the trailers. What a server of gRPC has no reason to send, such as padding, ends the program.

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "loadgen.h"
#include "loadgen_hpack.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
static const uint8_t payload_bytes_min[] = {[RST_STREAM] = 4, [PING] = 8, [GOAWAY] = 8, [WINDOW_UPDATE] = 4};
enum { END_STREAM = 0x01, ACK = 0x01, END_HEADERS = 0x04, PADDED = 0x08, PRIORITY = 0x20 };
enum {
    SETTING_TABLE_BYTES = 1,
    SETTING_ENABLE_PUSH = 2,
    SETTING_STREAMS_MAX = 3,
    SETTING_WINDOW_BYTES = 4,
    SETTING_BYTES = 6,
};
enum {
    HEADER_BYTES = 9,
    PREFIX_BYTES = 5,
    FRAME_BYTES_MAX = 1 << 14,
    MESSAGE_BYTES_MAX = 4 << 20,
    WINDOW_BYTES_INITIAL = (1 << 16) - 1,
    STREAM_WINDOW_BYTES = MESSAGE_BYTES_MAX + PREFIX_BYTES,
    CONNECTION_WINDOW_BYTES = 1 << 24,
    BLOCK_BYTES_MAX = 512,
    TEXT_BYTES_MAX = 126,  // Of which the length takes one byte.
};

struct block {
    size_t bytes;
    uint8_t value[BLOCK_BYTES_MAX];
};

struct reply {
    uint8_t prefix[PREFIX_BYTES];
    bool is_http_ok;
    uint32_t bytes;  // Of DATA so far, the prefix too.
};

struct session {
    bool has_settings, has_called;
    // What the server lets us send, and what it has sent since it was last told to go on.
    int64_t send_window, stream_send_window;
    uint32_t taken_bytes, streams_max;
    struct header_table table;
    struct reply replies[SLOTS];
};

// The headers of every call, for the first one and for the others; and what precedes the message in every request.
static struct block first_block, next_block;
static const uint8_t *first_call;
static size_t call_prefix_bytes;

// What is sent.

static uint8_t *append_frame(struct connection *c, uint8_t type, uint8_t flags, uint32_t stream, size_t bytes) {
    uint8_t *out = append(c, HEADER_BYTES + bytes);
    write_u32(out, (uint32_t)bytes << 8 | type);
    out[4] = flags;
    write_u32(out + 5, stream);
    return out + HEADER_BYTES;
}

static uint8_t *write_setting(uint8_t *out, uint8_t name, uint32_t value) {
    out[0] = 0, out[1] = name;
    write_u32(out + 2, value);
    return out + SETTING_BYTES;
}

static void append_text(const char *text) {
    size_t bytes = strlen(text);
    if (bytes > TEXT_BYTES_MAX || first_block.bytes + 1 + bytes >= BLOCK_BYTES_MAX) reject("a header is too long");
    first_block.value[first_block.bytes++] = (uint8_t)bytes;
    memcpy(first_block.value + first_block.bytes, text, bytes);
    first_block.bytes += bytes;
}

// A field with a name of the static table, or else one that is spelled out, both to be added to the dynamic table.
static void append_field(uint8_t name_index, const char *name, const char *value) {
    first_block.value[first_block.bytes++] = 0x40 | name_index;
    if (!name_index) append_text(name);
    append_text(value);
}

// In the order of grpc-go's client.
static void make_blocks(const char *path) {
    static const uint8_t method_and_scheme[] = {0x83, 0x86};  // POST and http, by their index in the static table.
    enum { ADDED = 5, STATIC_COUNT = 61 };
    memcpy(first_block.value, method_and_scheme, first_block.bytes = next_block.bytes = sizeof method_and_scheme);
    memcpy(next_block.value, method_and_scheme, sizeof method_and_scheme);
    append_field(4, NULL, path);
    append_field(1, NULL, "localhost");
    append_field(31, NULL, "application/grpc");
    append_field(58, NULL, "rollcall-bench/1");
    append_field(0, "te", "trailers");
    // The newest entry comes first.
    for (uint8_t i = ADDED; i > 0; i--) next_block.value[next_block.bytes++] = 0x80 | (STATIC_COUNT + i);
}

// Requests.

struct span {
    const uint8_t *start;
    size_t bytes;
};

// A field of bytes in a request's envelope, and moves on behind it; none where another field comes next.
static struct span read_field(const uint8_t **at, const uint8_t *end, uint8_t tag) {
    if (*at == end || **at != tag) return (struct span){*at, 0};
    size_t bytes = 0;
    unsigned shift = 0;
    do {
        if (++*at == end || shift > 21) reject("a request is broken");
        bytes |= (size_t)(**at & 0x7f) << shift;
        shift += 7;
    } while (**at & 0x80);
    if (bytes > (size_t)(end - ++*at)) reject("a request is broken");
    const uint8_t *start = *at;
    *at += bytes;
    return (struct span){start, bytes};
}

// Takes the path from the first call; all others must be of its method.
static void read_path(const uint8_t *frame, size_t bytes) {
    const uint8_t *at = frame + FRAME_HEADER_BYTES, *end = frame + bytes;
    struct span service = read_field(&at, end, 0x0a), method = read_field(&at, end, 0x12);
    char path[BLOCK_BYTES_MAX];
    if (service.bytes + method.bytes + 3 > sizeof path) reject("a method's name is too long");
    path[0] = '/';
    memcpy(path + 1, service.start, service.bytes);
    path[1 + service.bytes] = '/';
    memcpy(path + 2 + service.bytes, method.start, method.bytes);
    path[2 + service.bytes + method.bytes] = 0;
    make_blocks(path);
    first_call = frame + FRAME_HEADER_BYTES;
    call_prefix_bytes = (size_t)(at - first_call);
}

static struct span message_of(const uint8_t *frame, size_t bytes) {
    const uint8_t *at = frame + FRAME_HEADER_BYTES, *end = frame + bytes;
    if (!first_call) read_path(frame, bytes);
    bool is_alike = (size_t)(end - at) >= call_prefix_bytes && !memcmp(at, first_call, call_prefix_bytes);
    if (!is_alike) reject("the calls are not all of one method");
    at += call_prefix_bytes;
    struct span message = read_field(&at, end, 0x1a);
    if (at != end) reject("a request has a timeout or metadata, which are not sent over gRPC");
    return message;
}

static bool append_call(struct connection *c, const uint8_t *frame, size_t bytes, uint64_t now) {
    struct session *s = c->state;
    struct span message = message_of(frame, bytes);
    size_t data_bytes = PREFIX_BYTES + message.bytes;
    if (data_bytes > FRAME_BYTES_MAX || (int64_t)data_bytes > s->stream_send_window) reject("a request is too long");
    if (c->outstanding >= s->streams_max) reject("the server allows %u calls at once, no more", s->streams_max);
    if ((int64_t)data_bytes > s->send_window) return false;
    s->send_window -= (int64_t)data_bytes;
    uint32_t stream = start_call(c, now);
    s->replies[slot_of(stream)] = (struct reply){.bytes = 0};
    const struct block *block = s->has_called ? &next_block : &first_block;
    s->has_called = true;
    memcpy(append_frame(c, HEADERS, END_HEADERS, stream, block->bytes), block->value, block->bytes);
    uint8_t *data = append_frame(c, DATA, END_STREAM, stream, data_bytes);
    data[0] = 0;
    write_u32(data + 1, (uint32_t)message.bytes);
    memcpy(data + PREFIX_BYTES, message.start, message.bytes);
    return true;
}

// Replies.

static void end_reply(struct connection *c, uint32_t stream, uint64_t now, unsigned trailers) {
    const struct session *s = c->state;
    const struct reply *reply = &s->replies[slot_of(stream)];
    bool is_whole = reply->bytes >= PREFIX_BYTES && !reply->prefix[0] &&
                    reply->bytes - PREFIX_BYTES == read_u32(reply->prefix + 1);
    bool is_ok = reply->is_http_ok && is_whole && trailers & SAYS_GRPC_OK;
    end_call(c, stream, now, reply->bytes - (is_whole ? PREFIX_BYTES : 0), !is_ok);
}

static void take_data(struct connection *c, uint8_t flags, uint32_t stream, const uint8_t *data, uint32_t bytes,
                      uint64_t now) {
    struct session *s = c->state;
    struct reply *reply = &s->replies[slot_of(stream)];
    if (bytes > STREAM_WINDOW_BYTES - reply->bytes) reject("a reply is longer than its window");
    for (size_t i = 0; i < bytes && reply->bytes + i < PREFIX_BYTES; i++) reply->prefix[reply->bytes + i] = data[i];
    reply->bytes += bytes;
    s->taken_bytes += bytes;
    if (s->taken_bytes > CONNECTION_WINDOW_BYTES / 2) {
        write_u32(append_frame(c, WINDOW_UPDATE, 0, 0, 4), s->taken_bytes);
        s->taken_bytes = 0;
    }
    if (flags & END_STREAM) end_reply(c, stream, now, 0);
}

static void take_headers(struct connection *c, uint8_t flags, uint32_t stream, const uint8_t *block, uint32_t bytes,
                         uint64_t now) {
    struct session *s = c->state;
    struct reply *reply = &s->replies[slot_of(stream)];
    if (!(flags & END_HEADERS)) reject("headers of more than one frame are not read here");
    unsigned says = read_headers(&s->table, block, bytes);
    reply->is_http_ok |= (says & SAYS_HTTP_OK) != 0;
    if (flags & END_STREAM) end_reply(c, stream, now, says);
}

// The connection.

static void take_settings(struct connection *c, const uint8_t *at, uint32_t bytes) {
    struct session *s = c->state;
    for (const uint8_t *end = at + bytes; end - at >= SETTING_BYTES; at += SETTING_BYTES) {
        uint32_t value = read_u32(at + 2);
        switch (at[0] << 8 | at[1]) {
            case SETTING_TABLE_BYTES:
                if (value < HEADER_TABLE_BYTES) reject("the server keeps a header table of %u bytes only", value);
                break;
            case SETTING_STREAMS_MAX: s->streams_max = value; break;
            case SETTING_WINDOW_BYTES: s->stream_send_window = value; break;
        }
    }
    s->has_settings = true;
    append_frame(c, SETTINGS, ACK, 0, 0);
}

static void take_frame(struct connection *c, const uint8_t *frame, uint32_t bytes, uint64_t now) {
    struct session *s = c->state;
    const uint8_t *payload = frame + HEADER_BYTES;
    uint8_t type = frame[3], flags = frame[4];
    uint32_t stream = read_u32(frame + 5);
    if (type <= WINDOW_UPDATE && bytes < payload_bytes_min[type]) reject("a frame of type %u is too short", type);
    if (type == DATA || type == HEADERS) {
        if (!is_outstanding(c, stream)) reject("a reply to a call that is not outstanding");
        if (flags & (PADDED | PRIORITY)) reject("padding and priorities are not read here");
    }
    switch (type) {
        case DATA: take_data(c, flags, stream, payload, bytes, now); break;
        case HEADERS: take_headers(c, flags, stream, payload, bytes, now); break;
        case RST_STREAM: reject("the server reset a call with error %u", read_u32(payload));
        case GOAWAY: reject("the server said GOAWAY with error %u", read_u32(payload + 4));
        case SETTINGS:
            if (!(flags & ACK)) take_settings(c, payload, bytes);
            break;
        case PING:
            if (!(flags & ACK)) memcpy(append_frame(c, PING, ACK, 0, 8), payload, 8);
            break;
        case WINDOW_UPDATE:
            if (!stream) s->send_window += read_u32(payload);
            break;
    }
}

static size_t take(struct connection *c, uint64_t now) {
    size_t at = 0;
    while (c->in_count - at >= HEADER_BYTES) {
        uint32_t bytes = read_u32(c->in + at) >> 8;
        if (bytes > FRAME_BYTES_MAX) reject("a frame is longer than was agreed");
        if (c->in_count - at < HEADER_BYTES + bytes) break;
        take_frame(c, c->in + at, bytes, now);
        at += HEADER_BYTES + bytes;
    }
    return at;
}

// Sends the preface and waits for the server's settings, which bound the first calls.
static void open(struct connection *c) {
    struct session *s = c->state = calloc(1, sizeof *s);
    if (!s) fail("memory");
    s->send_window = s->stream_send_window = WINDOW_BYTES_INITIAL;
    s->streams_max = UINT32_MAX;
    s->table.bytes_max = HEADER_TABLE_BYTES;
    memcpy(append(c, strlen(PREFACE)), PREFACE, strlen(PREFACE));
    uint8_t *settings = append_frame(c, SETTINGS, 0, 0, 2 * SETTING_BYTES);
    settings = write_setting(settings, SETTING_ENABLE_PUSH, 0);
    write_setting(settings, SETTING_WINDOW_BYTES, STREAM_WINDOW_BYTES);
    write_u32(append_frame(c, WINDOW_UPDATE, 0, 0, 4), CONNECTION_WINDOW_BYTES - WINDOW_BYTES_INITIAL);
    flush(c);
    struct timeval patience = {.tv_sec = SILENCE_SECONDS_MAX};
    if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0) fail("SO_RCVTIMEO");
    while (!s->has_settings) {
        if (!receive(c)) reject("the server sent no settings for %d s", SILENCE_SECONDS_MAX);
        drop(c, take(c, 0));
    }
    flush(c);
}

const struct protocol grpc = {.open = open, .append_call = append_call, .take = take};
