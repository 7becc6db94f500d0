#include "CWordKernels.h"

// Has no use for wide registers: what it reads lies all over.
size_t rollcall_words_count_members(const uint64_t *words, const uint16_t *bits, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += words[bits[i] >> 6] >> (bits[i] & 63) & 1;
    return sum;
}

#define INLINE static inline __attribute__((always_inline))

// The result may be what is joined: no word depends on another one, so that the loop needs no check for overlaps.
#define EACH_WORD _Pragma("clang loop vectorize(assume_safety)") for (size_t i = 0; i < count; i++)

INLINE size_t count_bits(const uint64_t *words, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += (size_t)__builtin_popcountll(words[i]);
    return sum;
}

INLINE size_t count_common(const uint64_t *left, const uint64_t *right, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += (size_t)__builtin_popcountll(left[i] & right[i]);
    return sum;
}

INLINE bool intersect(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count) {
    uint64_t any = 0;
    EACH_WORD any |= result[i] = left[i] & right[i];
    return any != 0;
}

INLINE void unite(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count) {
    EACH_WORD result[i] = left[i] | right[i];
}

// Each loop once more for a kind of processor; `target` is what it has.
#define KERNELS(kind, target)                                                                                           \
    target static size_t count_bits_##kind(const uint64_t *words, size_t count) { return count_bits(words, count); }    \
    target static size_t count_common_##kind(const uint64_t *left, const uint64_t *right, size_t count) {               \
        return count_common(left, right, count);                                                                        \
    }                                                                                                                   \
    target static bool intersect_##kind(                                                                                \
        uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count) {                                  \
        return intersect(result, left, right, count);                                                                   \
    }                                                                                                                   \
    target static void unite_##kind(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count) {      \
        unite(result, left, right, count);                                                                              \
    }

#if defined(__x86_64__)
KERNELS(avx512, __attribute__((target("popcnt,avx512f,avx512vpopcntdq"))))
KERNELS(avx2, __attribute__((target("popcnt,avx2"))))
KERNELS(any, )
#define CHOOSE(kernel, ...)                                                                     \
    (__builtin_cpu_supports("avx512vpopcntdq") ? kernel##_avx512(__VA_ARGS__)                   \
     : __builtin_cpu_supports("avx2")          ? kernel##_avx2(__VA_ARGS__)                     \
                                               : kernel##_any(__VA_ARGS__))
#else
KERNELS(any, )
#define CHOOSE(kernel, ...) kernel##_any(__VA_ARGS__)
#endif

size_t rollcall_words_count(const uint64_t *words, size_t count) { return CHOOSE(count_bits, words, count); }

size_t rollcall_words_count_common(const uint64_t *left, const uint64_t *right, size_t count) {
    return CHOOSE(count_common, left, right, count);
}

bool rollcall_words_intersect(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count) {
    return CHOOSE(intersect, result, left, right, count);
}

void rollcall_words_unite(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count) {
    CHOOSE(unite, result, left, right, count);
}
