// Sends ttrpc calls from a file and keeps a fixed number of them outstanding; prints rate and latency as JSON.
//
//   loadgen SOCKET FRAMES CONNECTIONS WINDOW SECONDS
//
// FRAMES holds request frames one after another; their stream ids are given here. With SECONDS above zero they are sent
// round and round for that long, each connection from its own place in the file; with 0 each is sent once, in order.
// A reply's latency runs from the write that carried its request to the read that brought it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 10,
    FRAME_DATA_BYTES_MAX = 4 << 20,
    CONNECTIONS_MAX = 1024,
    SLOTS = 1 << 16,  // Send times by stream id; a reply may be this many ids late.
    BUCKET_BITS = 6,  // 64 buckets for each doubling: latencies to 1.6 %.
    BUCKETS = 64 << BUCKET_BITS,
    SILENCE_SECONDS_MAX = 30,
};

struct connection {
    int fd;
    uint32_t next_stream, outstanding;
    size_t next_frame;
    bool wants_write;
    uint8_t *in, *out;
    size_t in_count, in_capacity, out_start, out_count, out_capacity;
    uint64_t *sent_ns;
};

static const uint8_t *frames;
static uint64_t *frame_starts;
static size_t frame_count, frames_left;
static struct connection connections[CONNECTIONS_MAX];
static uint64_t latency_counts[BUCKETS];
static uint64_t replies, refused, reply_bytes;
static int epoll_fd;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "loadgen: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t value) {
    p[0] = value >> 24, p[1] = value >> 16, p[2] = value >> 8, p[3] = value;
}

static size_t bucket_of(uint64_t ns) {
    if (ns < 1u << BUCKET_BITS) return ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - BUCKET_BITS;
    return ((size_t)(shift + 1) << BUCKET_BITS) + ((ns >> shift) - (1u << BUCKET_BITS));
}

static uint64_t bucket_value(size_t bucket) {
    if (bucket < 1u << BUCKET_BITS) return bucket;
    unsigned shift = (unsigned)(bucket >> BUCKET_BITS) - 1;
    uint64_t low = (uint64_t)((bucket & ((1u << BUCKET_BITS) - 1)) + (1u << BUCKET_BITS)) << shift;
    return low + ((1ull << shift) >> 1);
}

static uint64_t quantile_ns(double q) {
    uint64_t rank = (uint64_t)(q * (double)replies), seen = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        seen += latency_counts[bucket];
        if (seen > rank) return bucket_value(bucket);
    }
    return 0;
}

static void open_frames(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) fail(path);
    size_t bytes = (size_t)info.st_size, capacity = 1024;
    frames = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (frames == MAP_FAILED) fail(path);
    frame_starts = malloc(capacity * sizeof *frame_starts);
    for (size_t at = 0; at < bytes; at += HEADER_BYTES + read_u32(frames + at)) {
        if (frame_count + 1 >= capacity) frame_starts = realloc(frame_starts, (capacity *= 2) * sizeof *frame_starts);
        if (!frame_starts) fail("frames");
        frame_starts[frame_count++] = at;
    }
    frame_starts[frame_count] = bytes;
}

static void open_connection(struct connection *c, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) fail("the socket's path is too long");
    strcpy(address.sun_path, path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) fail(path);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->next_stream = 1;
    c->in = malloc(c->in_capacity = 1 << 20);
    c->out = malloc(c->out_capacity = 1 << 16);
    c->sent_ns = calloc(SLOTS, sizeof *c->sent_ns);
    if (!c->in || !c->out || !c->sent_ns) fail("memory");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
}

static void append_call(struct connection *c, uint64_t now) {
    const uint8_t *frame = frames + frame_starts[c->next_frame];
    size_t bytes = frame_starts[c->next_frame + 1] - frame_starts[c->next_frame];
    if (c->out_count + bytes > c->out_capacity) {
        while (c->out_count + bytes > c->out_capacity) c->out_capacity *= 2;
        if (!(c->out = realloc(c->out, c->out_capacity))) fail("memory");
    }
    uint64_t *slot = &c->sent_ns[(c->next_stream >> 1) % SLOTS];
    if (*slot) fail("a call was overtaken by 65,536 others");
    *slot = now;
    memcpy(c->out + c->out_count, frame, bytes);
    write_u32(c->out + c->out_count + 4, c->next_stream);
    c->out_count += bytes;
    c->next_stream += 2;
    c->outstanding++;
}

// Tops the window up; `once` is true if every frame goes out a single time.
static void fill_window(struct connection *c, uint32_t window, bool once, uint64_t now) {
    while (c->outstanding < window) {
        if (once) {
            if (frames_left == 0) return;
            c->next_frame = frame_count - frames_left--;
        } else if (++c->next_frame >= frame_count) {
            c->next_frame = 0;
        }
        append_call(c, now);
    }
}

static void flush(struct connection *c) {
    while (c->out_start < c->out_count) {
        ssize_t n = send(c->fd, c->out + c->out_start, c->out_count - c->out_start, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) fail("send");
        c->out_start += (size_t)n;
    }
    bool is_blocked = c->out_start < c->out_count;
    if (!is_blocked) c->out_start = c->out_count = 0;
    if (is_blocked != c->wants_write) {
        c->wants_write = is_blocked;
        struct epoll_event event = {.events = EPOLLIN | (is_blocked ? EPOLLOUT : 0), .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    }
}

// A refusal is a status (field 1) whose code (its field 1) is not zero.
static bool is_refusal(const uint8_t *data, size_t bytes) {
    return bytes >= 4 && data[0] == 0x0a && data[1] != 0 && (data[1] & 0x80 ? data[3] : data[2]) == 0x08;
}

static void take_replies(struct connection *c, uint64_t now) {
    size_t at = 0;
    while (c->in_count - at >= HEADER_BYTES) {
        const uint8_t *frame = c->in + at;
        size_t bytes = read_u32(frame);
        if (bytes > FRAME_DATA_BYTES_MAX) errno = 0, fail("a reply is longer than the protocol allows");
        if (c->in_count - at < HEADER_BYTES + bytes) {
            if (HEADER_BYTES + bytes > c->in_capacity) {
                c->in_capacity = 2 * (HEADER_BYTES + bytes);
                if (!(c->in = realloc(c->in, c->in_capacity))) fail("memory");
            }
            break;
        }
        uint64_t *slot = &c->sent_ns[(read_u32(frame + 4) >> 1) % SLOTS];
        if (!*slot) errno = 0, fail("a reply to a call that is not outstanding");
        latency_counts[bucket_of(now - *slot)]++;
        *slot = 0;
        c->outstanding--;
        replies++;
        reply_bytes += HEADER_BYTES + bytes;
        if (is_refusal(frame + HEADER_BYTES, bytes)) refused++;
        at += HEADER_BYTES + bytes;
    }
    memmove(c->in, c->in + at, c->in_count -= at);
}

int main(int argc, char **argv) {
    if (argc != 6) fail("usage: loadgen SOCKET FRAMES CONNECTIONS WINDOW SECONDS");
    size_t connection_count = strtoul(argv[3], NULL, 10);
    uint32_t window = (uint32_t)strtoul(argv[4], NULL, 10);
    double seconds = strtod(argv[5], NULL);
    bool once = seconds == 0;
    if (!connection_count || connection_count > CONNECTIONS_MAX || !window || window > SLOTS / 4) fail("out of range");
    open_frames(argv[2]);
    if (!frame_count) fail("no frames");
    frames_left = frame_count;
    if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll_create1");
    for (size_t i = 0; i < connection_count; i++) {
        open_connection(&connections[i], argv[1]);
        connections[i].next_frame = i * frame_count / connection_count;
    }

    uint64_t began = now_ns(), end = once ? UINT64_MAX : began + (uint64_t)(seconds * 1e9), now = began;
    for (size_t i = 0; i < connection_count; i++) {
        fill_window(&connections[i], window, once, now);
        flush(&connections[i]);
    }
    size_t outstanding = 1;
    while (outstanding) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll_fd, events, 64, SILENCE_SECONDS_MAX * 1000);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail("no reply for 30 s");
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLIN) {
                ssize_t n = recv(c->fd, c->in + c->in_count, c->in_capacity - c->in_count, 0);
                if (n == 0) errno = 0, fail("the server closed a connection");
                if (n < 0 && errno != EAGAIN && errno != EINTR) fail("recv");
                now = now_ns();
                if (n > 0) c->in_count += (size_t)n;
                take_replies(c, now);
                if (now < end) fill_window(c, window, once, now);
            }
            flush(c);
        }
        outstanding = 0;
        for (size_t i = 0; i < connection_count; i++) outstanding += connections[i].outstanding;
    }
    double took = (double)(now - began) / 1e9;
    printf("{\"count\": %lu, \"seconds\": %.6f, \"refused\": %lu, \"reply_bytes\": %lu, ", replies, took, refused, reply_bytes);
    printf("\"p50_ns\": %lu, \"p99_ns\": %lu}\n", quantile_ns(0.50), quantile_ns(0.99));
    return 0;
}
