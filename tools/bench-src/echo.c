// Answers every ttrpc frame with a fixed reply: the least that a server on this socket can do, and so the limit.
//
//   echo SOCKET REPLY_BYTES
//
// One thread on epoll; the frames of one read are answered with one write. REPLY_BYTES counts the frame's header.

#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEADER_BYTES = 10, REPLY_BYTES_MIN = 32, IN_BYTES = 1 << 18 };

struct connection {
    int fd;
    bool wants_write;
    uint8_t in[IN_BYTES], *out;
    size_t in_count, out_start, out_count, out_capacity;
};

static uint8_t *reply;
static size_t reply_bytes;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t value) {
    p[0] = value >> 24, p[1] = value >> 16, p[2] = value >> 8, p[3] = value;
}

// A Response: an OK status of no bytes, then a payload that fills the rest, its length in three bytes of varint.
static void make_reply(size_t bytes) {
    if (bytes < REPLY_BYTES_MIN) bytes = REPLY_BYTES_MIN;
    if (!(reply = calloc(1, reply_bytes = bytes))) fail("memory");
    size_t data = bytes - HEADER_BYTES, payload = data - 2 - 4;
    write_u32(reply, (uint32_t)data);
    reply[8] = 2;
    uint8_t *p = reply + HEADER_BYTES;
    p[0] = 0x0a, p[1] = 0;
    p[2] = 0x12, p[3] = (payload & 0x7f) | 0x80, p[4] = (payload >> 7 & 0x7f) | 0x80, p[5] = payload >> 14 & 0x7f;
}

static void answer(struct connection *c) {
    size_t at = 0;
    while (c->in_count - at >= HEADER_BYTES) {
        size_t bytes = HEADER_BYTES + read_u32(c->in + at);
        if (bytes > IN_BYTES) errno = EMSGSIZE, fail("frame");
        if (c->in_count - at < bytes) break;
        if (c->out_count + reply_bytes > c->out_capacity) {
            c->out_capacity = 2 * (c->out_count + reply_bytes);
            if (!(c->out = realloc(c->out, c->out_capacity))) fail("memory");
        }
        memcpy(c->out + c->out_count, reply, reply_bytes);
        memcpy(c->out + c->out_count + 4, c->in + at + 4, 4);
        c->out_count += reply_bytes;
        at += bytes;
    }
    memmove(c->in, c->in + at, c->in_count -= at);
}

static void flush(struct connection *c, int epoll_fd) {
    while (c->out_start < c->out_count) {
        ssize_t n = send(c->fd, c->out + c->out_start, c->out_count - c->out_start, MSG_NOSIGNAL);
        if (n < 0) break;
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

int main(int argc, char **argv) {
    if (argc != 3) errno = EINVAL, fail("usage: echo SOCKET REPLY_BYTES");
    make_reply(strtoul(argv[2], NULL, 10));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(argv[1]) >= sizeof address.sun_path) errno = ENAMETOOLONG, fail(argv[1]);
    strcpy(address.sun_path, argv[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail(argv[1]);
    if (listen(listener, 1024) < 0) fail("listen");
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll_fd, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) continue;
                if (!(c = calloc(1, sizeof *c))) fail("memory");
                c->fd = fd;
                struct epoll_event added = {.events = EPOLLIN, .data.ptr = c};
                epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &added);
                continue;
            }
            ssize_t n = recv(c->fd, c->in + c->in_count, IN_BYTES - c->in_count, 0);
            if (n == 0 || (n < 0 && errno != EAGAIN)) {
                close(c->fd);
                free(c->out);
                free(c);
                continue;
            }
            if (n > 0) c->in_count += (size_t)n;
            answer(c);
            flush(c, epoll_fd);
        }
    }
}
