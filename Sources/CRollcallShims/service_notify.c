#define _GNU_SOURCE
#include "CRollcallShims.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* How long a service manager may leave its queue full before a notification is given up. */
static const struct timeval send_timeout = {.tv_sec = 1};

static int send_once(int sender, const struct msghdr *message) {
    for (;;) {
        if (sendmsg(sender, message, MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

int rollcall_service_notify(const char *address, const char *state, int descriptor) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t address_bytes = strlen(address);
    if (address[0] != '/' && address[0] != '@') {
        return EAFNOSUPPORT;
    }
    if (address_bytes < 2 || address_bytes > sizeof name.sun_path) {
        return EINVAL;
    }
    memcpy(name.sun_path, address, address_bytes);
    if (address[0] == '@') {
        name.sun_path[0] = '\0';
    }

    struct iovec text = {.iov_base = (char *)state, .iov_len = strlen(state)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof descriptor)];
    } rights = {0};
    struct msghdr message = {
        .msg_name = &name,
        .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + address_bytes),
        .msg_iov = &text,
        .msg_iovlen = 1,
    };
    if (descriptor >= 0) {
        message.msg_control = &rights;
        message.msg_controllen = sizeof rights.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }

    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender < 0) {
        return errno;
    }
    int error = 0;
    if (setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof send_timeout) != 0) {
        error = errno;
    } else {
        error = send_once(sender, &message);
    }
    close(sender);
    return error;
}
