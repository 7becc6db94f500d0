// What the load generator and its protocols share: a connection's buffers, its calls by stream id, what became of them.

#ifndef LOADGEN_H
#define LOADGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SLOTS = 1 << 16,  // Calls by stream id; a reply may be this many ids late.
    SILENCE_SECONDS_MAX = 30,
    FRAME_HEADER_BYTES = 10,  // Of a ttrpc request, as which a protocol is handed every call.
};

struct connection {
    int fd;
    uint32_t next_stream, outstanding;
    size_t next_frame;
    bool wants_write;
    uint8_t *in, *out;
    size_t in_count, in_capacity, out_start, out_count, out_capacity;
    uint64_t *sent_ns;
    void *state;  // The protocol's own.
};

struct protocol {
    // Agrees on whatever precedes the first call; the socket still blocks, and NULL means that there is nothing.
    void (*open)(struct connection *);
    // Appends the call of a request frame; false = the server must allow more first.
    bool (*append_call)(struct connection *, const uint8_t *frame, size_t bytes, uint64_t now);
    // Takes what is whole of what came in, and returns how many bytes that was.
    size_t (*take)(struct connection *, uint64_t now);
};

extern const struct protocol ttrpc, grpc;

// Ends the program over a call of the system.
_Noreturn void fail(const char *what);
// Ends the program over anything else.
_Noreturn void reject(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Room for `bytes` more to send.
uint8_t *append(struct connection *, size_t bytes);
void flush(struct connection *);
// Reads once; false = nothing came.
bool receive(struct connection *);
// Forgets the first bytes of what came in.
void drop(struct connection *, size_t bytes);

size_t slot_of(uint32_t stream);
// Gives the next call its stream id.
uint32_t start_call(struct connection *, uint64_t now);
// Whether the call waits for an answer.
bool is_outstanding(const struct connection *, uint32_t stream);
void end_call(struct connection *, uint32_t stream, uint64_t now, size_t reply_bytes, bool is_refused);

static inline uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void write_u32(uint8_t *p, uint32_t value) {
    p[0] = value >> 24, p[1] = value >> 16, p[2] = value >> 8, p[3] = value;
}

#endif
