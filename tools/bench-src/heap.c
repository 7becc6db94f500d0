// Loaded before a program, counts what it has allocated: the most between `heap_start` and now, in bytes.
//
// For one thread at a time. What the allocator keeps for itself is left out.

#include <malloc.h>
#include <stddef.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static ptrdiff_t present, peak;

void heap_start(void) { present = peak = 0; }

ptrdiff_t heap_peak_bytes(void) { return peak; }

static void *counted(void *block) {
    present += (ptrdiff_t)malloc_usable_size(block);
    if (present > peak) peak = present;
    return block;
}

void *malloc(size_t bytes) { return counted(__libc_malloc(bytes)); }

void *calloc(size_t count, size_t bytes) { return counted(__libc_calloc(count, bytes)); }

void *aligned_alloc(size_t alignment, size_t bytes) { return counted(__libc_memalign(alignment, bytes)); }

int posix_memalign(void **block, size_t alignment, size_t bytes) {
    void *made = __libc_memalign(alignment, bytes);
    if (!made) return 12;  // ENOMEM
    *block = counted(made);
    return 0;
}

void *realloc(void *block, size_t bytes) {
    ptrdiff_t before = (ptrdiff_t)malloc_usable_size(block);
    void *moved = __libc_realloc(block, bytes);
    if (moved || !bytes) present -= before;
    return counted(moved);
}

void free(void *block) {
    present -= (ptrdiff_t)malloc_usable_size(block);
    __libc_free(block);
}
