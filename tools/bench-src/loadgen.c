// Sends calls from a file and keeps a fixed number of them outstanding; prints rate and latency as JSON.
//
//   loadgen ttrpc|grpc SOCKET FRAMES CONNECTIONS WINDOW SECONDS [RATE]
//
// FRAMES holds ttrpc request frames one after another; their stream ids are given here. With SECONDS above zero they
// are sent round and round for that long, each connection from its own place in the file; with 0 each is sent once, in
// order. Over gRPC the same calls are sent, which must be of one method. A reply's latency runs from the write that
// carried its request to the read that brought it; its size is that of its frame, over gRPC that of its message. With
// RATE, each connection sends that many calls a second, evenly spread, and a call's latency runs from when it was due:
// what a stall delays counts in full, whether it was sent or not.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "loadgen.h"

enum {
    CONNECTIONS_MAX = 1024,
    BUCKET_BITS = 6,  // 64 buckets for each doubling: latencies to 1.6 %.
    BUCKETS = 64 << BUCKET_BITS,
};

static const struct protocol *protocol;
static const uint8_t *frames;
static uint64_t *frame_starts;
static size_t frame_count, frames_left;
static struct connection connections[CONNECTIONS_MAX];
static size_t connection_count;
static uint64_t latency_counts[BUCKETS];
static uint64_t replies, refused, reply_bytes;
static int epoll_fd;

_Noreturn void fail(const char *what) {
    fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
    exit(1);
}

_Noreturn void reject(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
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
    for (size_t at = 0; at < bytes; at += FRAME_HEADER_BYTES + read_u32(frames + at)) {
        if (frame_count + 1 >= capacity) frame_starts = realloc(frame_starts, (capacity *= 2) * sizeof *frame_starts);
        if (!frame_starts) fail("frames");
        frame_starts[frame_count++] = at;
    }
    frame_starts[frame_count] = bytes;
}

static void open_connection(struct connection *c, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) reject("the socket's path is too long");
    strcpy(address.sun_path, path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) fail(path);
    c->next_stream = 1;
    c->in = malloc(c->in_capacity = 1 << 20);
    c->out = malloc(c->out_capacity = 1 << 16);
    c->sent_ns = calloc(SLOTS, sizeof *c->sent_ns);
    if (!c->in || !c->out || !c->sent_ns) fail("memory");
    if (protocol->open) protocol->open(c);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
}

uint8_t *append(struct connection *c, size_t bytes) {
    if (c->out_count + bytes > c->out_capacity) {
        while (c->out_count + bytes > c->out_capacity) c->out_capacity *= 2;
        if (!(c->out = realloc(c->out, c->out_capacity))) fail("memory");
    }
    uint8_t *appended = c->out + c->out_count;
    c->out_count += bytes;
    return appended;
}

void flush(struct connection *c) {
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

bool receive(struct connection *c) {
    ssize_t n = recv(c->fd, c->in + c->in_count, c->in_capacity - c->in_count, 0);
    if (n == 0) reject("the server closed a connection");
    if (n < 0 && errno != EAGAIN && errno != EINTR) fail("recv");
    if (n > 0) c->in_count += (size_t)n;
    return n > 0;
}

void drop(struct connection *c, size_t bytes) { memmove(c->in, c->in + bytes, c->in_count -= bytes); }

size_t slot_of(uint32_t stream) { return (stream >> 1) % SLOTS; }

uint32_t start_call(struct connection *c, uint64_t now) {
    uint32_t stream = c->next_stream;
    if (is_outstanding(c, stream)) reject("a call was overtaken by 65,536 others");
    c->sent_ns[slot_of(stream)] = now;
    c->next_stream += 2;
    c->outstanding++;
    return stream;
}

bool is_outstanding(const struct connection *c, uint32_t stream) { return c->sent_ns[slot_of(stream)] != 0; }

void end_call(struct connection *c, uint32_t stream, uint64_t now, size_t bytes, bool is_refused) {
    if (!is_outstanding(c, stream)) reject("a reply to a call that is not outstanding");
    latency_counts[bucket_of(now - c->sent_ns[slot_of(stream)])]++;
    c->sent_ns[slot_of(stream)] = 0;
    c->outstanding--;
    replies++;
    reply_bytes += bytes;
    refused += is_refused;
}

// When the next call of a connection is due; 0 = as soon as the window has room.
static uint64_t due_interval_ns, next_due_ns[CONNECTIONS_MAX];

static void fill_due(struct connection *c, uint32_t window, uint64_t now) {
    uint64_t *due = &next_due_ns[c - connections];
    for (; *due <= now && c->outstanding < window; *due += due_interval_ns) {
        size_t i = c->next_frame;
        if (!protocol->append_call(c, frames + frame_starts[i], frame_starts[i + 1] - frame_starts[i], *due)) return;
        if (++c->next_frame == frame_count) c->next_frame = 0;
    }
}

// Tops the window up; `once` is true if every frame goes out a single time.
static void fill_window(struct connection *c, uint32_t window, bool once, uint64_t now) {
    if (due_interval_ns) return fill_due(c, window, now);
    while (c->outstanding < window && (!once || frames_left)) {
        size_t i = once ? frame_count - frames_left : c->next_frame;
        if (!protocol->append_call(c, frames + frame_starts[i], frame_starts[i + 1] - frame_starts[i], now)) return;
        if (once) frames_left--;
        if (++c->next_frame == frame_count) c->next_frame = 0;
    }
}

// Wakes the loop for calls that are due; -1 = there is no rate. Its event has no connection.
static int start_timer(void) {
    if (!due_interval_ns) return -1;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct timespec tick = {.tv_sec = due_interval_ns / 1000000000, .tv_nsec = due_interval_ns % 1000000000};
    struct itimerspec ticks = {.it_interval = tick, .it_value = tick};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (fd < 0 || timerfd_settime(fd, 0, &ticks, NULL) < 0) fail("timer");
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    return fd;
}

static void timer_passed(int fd, uint32_t window, uint64_t now) {
    uint64_t ticks;
    if (read(fd, &ticks, sizeof ticks) < 0 && errno != EAGAIN) fail("timer");
    for (size_t i = 0; i < connection_count; i++) {
        fill_due(&connections[i], window, now);
        flush(&connections[i]);
    }
}

int main(int argc, char **argv) {
    if (argc != 7 && argc != 8) reject("usage: loadgen ttrpc|grpc SOCKET FRAMES CONNECTIONS WINDOW SECONDS [RATE]");
    if (strcmp(argv[1], "ttrpc") && strcmp(argv[1], "grpc")) reject("there is no %s", argv[1]);
    protocol = strcmp(argv[1], "grpc") ? &ttrpc : &grpc;
    connection_count = strtoul(argv[4], NULL, 10);
    uint32_t window = (uint32_t)strtoul(argv[5], NULL, 10);
    double seconds = strtod(argv[6], NULL);
    bool once = seconds == 0;
    if (!connection_count || connection_count > CONNECTIONS_MAX) reject("1 to %d connections", CONNECTIONS_MAX);
    if (!window || window > SLOTS / 4) reject("a window is of 1 to %d calls", SLOTS / 4);
    double rate = argc > 7 ? strtod(argv[7], NULL) : 0;
    if (argc > 7 && (rate < 1 || rate > 1e5 || once)) reject("a rate is of 1 to 100,000 calls a second, and SECONDS");
    if (rate > 0) due_interval_ns = (uint64_t)(1e9 / rate);
    open_frames(argv[3]);
    if (!frame_count) reject("no frames");
    frames_left = frame_count;
    if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll_create1");
    for (size_t i = 0; i < connection_count; i++) {
        open_connection(&connections[i], argv[2]);
        connections[i].next_frame = i * frame_count / connection_count;
    }

    uint64_t began = now_ns(), end = once ? UINT64_MAX : began + (uint64_t)(seconds * 1e9), now = began;
    int timer_fd = start_timer();
    for (size_t i = 0; i < connection_count; i++) {
        next_due_ns[i] = began;
        fill_window(&connections[i], window, once, now);
        flush(&connections[i]);
    }
    // Calls that a server does not allow yet are not outstanding, but to come.
    for (size_t outstanding = 1; outstanding || (once ? frames_left > 0 : now < end);) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll_fd, events, 64, SILENCE_SECONDS_MAX * 1000);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) reject("no reply for %d s", SILENCE_SECONDS_MAX);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                now = now_ns();
                timer_passed(timer_fd, window, now < end ? now : end - 1);
                continue;
            }
            if (events[i].events & EPOLLIN) {
                receive(c);
                now = now_ns();
                drop(c, protocol->take(c, now));
                if (now < end) fill_window(c, window, once, now);
            }
            flush(c);
        }
        outstanding = 0;
        for (size_t i = 0; i < connection_count; i++) outstanding += connections[i].outstanding;
    }
    double took = (double)(now - began) / 1e9;
    printf("{\"count\": %lu, \"seconds\": %.6f, \"refused\": %lu, ", replies, took, refused);
    printf("\"reply_bytes\": %lu, ", reply_bytes);
    printf("\"p50_ns\": %lu, \"p99_ns\": %lu}\n", quantile_ns(0.50), quantile_ns(0.99));
    return 0;
}
