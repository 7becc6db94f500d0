// Bitmaps, word by word: the loops of a query that gain most from a processor's wide registers, written once and compiled
// for what different processors have. Which of them runs is decided by the processor at hand.
#ifndef ROLLCALL_WORD_KERNELS_H
#define ROLLCALL_WORD_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How many bits are set in `count` words.
size_t rollcall_words_count(const uint64_t *words, size_t count);

/// How many bits are set both in `left` and in `right`, of `count` words each.
size_t rollcall_words_count_common(const uint64_t *left, const uint64_t *right, size_t count);

/// How many of the `count` numbers in `bits` are those of bits that are set in `words`, which has them all.
size_t rollcall_words_count_members(const uint64_t *words, const uint16_t *bits, size_t count);

/// Writes the bits that are set both in `left` and in `right` to `result`, which is either of them or
/// overlaps neither, and tells whether there are any.
bool rollcall_words_intersect(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count);

/// Writes the bits that are set in `left` or in `right` to `result`, which is either of them or overlaps neither.
void rollcall_words_unite(uint64_t *result, const uint64_t *left, const uint64_t *right, size_t count);

#endif
