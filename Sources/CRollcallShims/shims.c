#define _GNU_SOURCE
#include "CRollcallShims.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int rollcall_peer_credentials_get(int descriptor, rollcall_peer_credentials *credentials) {
    struct ucred found;
    socklen_t byte_count = sizeof found;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &found, &byte_count) != 0) {
        return errno;
    }
    credentials->pid = found.pid;
    credentials->uid = found.uid;
    credentials->gid = found.gid;
    return 0;
}

int rollcall_peer_groups_get(int descriptor, gid_t *groups, size_t *count) {
    socklen_t byte_count = (socklen_t)(*count * sizeof *groups);
    int result = getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &byte_count);
    *count = byte_count / sizeof *groups;
    return result == 0 ? 0 : errno;
}

int rollcall_rwlock_init(rollcall_rwlock *lock) {
    pthread_rwlockattr_t attributes;
    int error = pthread_rwlockattr_init(&attributes);
    if (error != 0) {
        return error;
    }
    error = pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    if (error == 0) {
        error = pthread_rwlock_init(lock, &attributes);
    }
    pthread_rwlockattr_destroy(&attributes);
    return error;
}

/* Puts a signal's number into a pipe; a full one already says what there is to say. */
static void tell_signal(int descriptor, int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    while (write(descriptor, &byte, 1) < 0 && errno == EINTR) {
    }
    errno = error;
}

/* Lets `received` handle signals, which writes to `*sink`; `*source` is the reading end of that pipe. */
static int catch_signals(
    const int *numbers, size_t count, void (*received)(int), int *sink, int *source) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return errno;
    }
    *sink = ends[1];
    struct sigaction action = {.sa_handler = received, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t index = 0; index < count; index++) {
        if (sigaction(numbers[index], &action, NULL) != 0) {
            return errno;
        }
    }
    *source = ends[0];
    return 0;
}

static atomic_int stop_signal_count;
static int stop_signal_descriptor = -1;

/* Runs on whichever thread the kernel picks: nothing but async-signal-safe calls. */
static void stop_signal_received(int number) {
    if (atomic_fetch_add(&stop_signal_count, 1) > 0) {
        _exit(128 + number);
    }
    tell_signal(stop_signal_descriptor, number);
}

int rollcall_stop_signals_catch(int *descriptor) {
    const int numbers[] = {SIGTERM, SIGINT};
    return catch_signals(numbers, 2, stop_signal_received, &stop_signal_descriptor, descriptor);
}

static int reload_signal_descriptor = -1;

/* As above. */
static void reload_signal_received(int number) {
    tell_signal(reload_signal_descriptor, number);
}

int rollcall_reload_signal_catch(int *descriptor) {
    const int numbers[] = {SIGHUP};
    return catch_signals(numbers, 1, reload_signal_received, &reload_signal_descriptor, descriptor);
}

int rollcall_descriptor_limit_raise(uint64_t *limit) {
    struct rlimit current;
    if (getrlimit(RLIMIT_NOFILE, &current) != 0) {
        return errno;
    }
    if (current.rlim_cur < current.rlim_max) {
        struct rlimit raised = {.rlim_cur = current.rlim_max, .rlim_max = current.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
            return errno;
        }
        current = raised;
    }
    *limit = current.rlim_cur;
    return 0;
}

static uint64_t nanoseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

static uint64_t resident_bytes(void) {
    unsigned long long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return 0;
    }
    int count = fscanf(file, "%llu %llu", &total, &resident);
    fclose(file);
    return count == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t descriptor_count(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return 0;
    }
    uint64_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    /* Less the one that looked. */
    return count - 1;
}

rollcall_process_figures rollcall_process_figures_get(void) {
    rollcall_process_figures figures = {
        .resident_bytes = resident_bytes(),
        .descriptor_count = descriptor_count(),
    };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        figures.descriptor_count_max = limit.rlim_cur;
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        figures.processor_nanoseconds = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    }
    return figures;
}

int rollcall_mapping_move(void *source, size_t source_bytes, void *target, size_t target_bytes) {
    void *moved = mremap(source, source_bytes, target_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    return moved == MAP_FAILED ? errno : 0;
}

void rollcall_memory_return(void) {
    malloc_trim(0);
}
