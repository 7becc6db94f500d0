// Tells the thread sanitizer of what Swift's Mutex does within the library that has it, which is not built for the sanitizer.
//
// A Mutex that nobody else wants is taken and given back by an atomic operation in the code that uses it, where the sanitizer sees
// it. One that somebody waits for is handed on by the kernel, and without this every such case is reported as a race. Loaded ahead of
// the library, this passes the calls on to it.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define SWIFT_CALL __attribute__((swiftcall))
#define SWIFT_SELF __attribute__((swift_context))

// Absent from a program that is not built for the sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

static void *next(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

// Synchronization._MutexHandle._lockSlow(Swift.UInt32)
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
SWIFT_CALL void lock_slow(uint32_t thread, SWIFT_SELF void *mutex) __asm__(LOCK);
SWIFT_CALL void lock_slow(uint32_t thread, SWIFT_SELF void *mutex) {
    typedef SWIFT_CALL void (*function)(uint32_t, SWIFT_SELF void *);
    ((function)next(LOCK))(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

// Synchronization._MutexHandle._unlockSlow()
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
SWIFT_CALL void unlock_slow(SWIFT_SELF void *mutex) __asm__(UNLOCK);
SWIFT_CALL void unlock_slow(SWIFT_SELF void *mutex) {
    typedef SWIFT_CALL void (*function)(SWIFT_SELF void *);
    if (__tsan_release) __tsan_release(mutex);
    ((function)next(UNLOCK))(mutex);
}
