// What Glibc's Swift module lacks: a lock with an attribute, the peer's credentials, descriptors with flags, sending
// one away, figures of the process, moving a mapping, and a hint to the processor.
#ifndef ROLLCALL_SHIMS_H
#define ROLLCALL_SHIMS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Who is at the other end of a Unix socket, by the kernel's word (SO_PEERCRED).
typedef struct {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} rollcall_peer_credentials;

/// Fills `credentials` for the connected socket `descriptor`; 0, or an errno value.
int rollcall_peer_credentials_get(int descriptor, rollcall_peer_credentials *credentials);

/// Writes the supplementary groups of the process at the other end of the connected socket `descriptor` (SO_PEERGROUPS)
/// to `groups`, which has room for `*count`, and sets `*count` to how many there are. 0, or an errno value: ERANGE where
/// there are more than it has room for.
int rollcall_peer_groups_get(int descriptor, gid_t *groups, size_t *count);

/// A reader-writer lock that lets a waiting writer in before new readers; glibc's default starves writers.
typedef pthread_rwlock_t rollcall_rwlock;

/// Prepares `lock`, which must not move afterwards; 0, or an errno value.
int rollcall_rwlock_init(rollcall_rwlock *lock);

/// Catches SIGTERM and SIGINT. The first one's number is written as a byte to a pipe whose reading end, non-blocking
/// and close-on-exec, goes to `descriptor`; the second ends the process at once with the status 128 + its number,
/// whatever else it is doing. Once a process; 0, or an errno value.
int rollcall_stop_signals_catch(int *descriptor);

/// Catches SIGHUP: each one writes a byte to a pipe whose reading end, non-blocking and close-on-exec, goes to
/// `descriptor`. Once a process; 0, or an errno value.
int rollcall_reload_signal_catch(int *descriptor);

/// Sends `state` to the service manager that listens at `address`, a path or `@` and an abstract name, as
/// sd_notify(3) does, and with it a copy of `descriptor` unless that is negative. Waits a second at most; 0, or an
/// errno value.
int rollcall_service_notify(const char *address, const char *state, int descriptor);

/// Raises the limit of open descriptors as far as the process may, and tells in `limit` where it is then; 0, or an
/// errno value.
int rollcall_descriptor_limit_raise(uint64_t *limit);

/// Gives what the allocator keeps of freed memory back to the system, where whole pages are free.
void rollcall_memory_return(void);

/// What the system says of this process; 0 for what it does not say.
typedef struct {
    uint64_t resident_bytes;
    uint64_t descriptor_count;
    uint64_t descriptor_count_max;
    uint64_t processor_nanoseconds;
} rollcall_process_figures;

/// Asks the system about this process. Looks at every open descriptor.
rollcall_process_figures rollcall_process_figures_get(void);

/// Moves a mapping to `target`, where a larger one is, in place of which it goes; its pages keep what is in them. What it
/// grows by is zero. 0, or an errno value.
int rollcall_mapping_move(void *source, size_t source_bytes, void *target, size_t target_bytes);

/// Begins to fetch what lies at `address` into the processor's caches; any address will do.
static inline void rollcall_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
