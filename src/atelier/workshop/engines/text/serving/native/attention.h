/* What the texts in the making have read: keys and values in half precision, and attention over them.
 *
 * A slot holds one text. Keys of a head lie in blocks of 16 positions, dimension by dimension, so that sixteen scores
 * come out of one pass without a sum across lanes; values lie position by position. */
#pragma once

#include "lanes.h"

typedef struct {
    half *keys, *values;
    int slots, layers, heads, size, length; /* heads of keys, their size, positions: a multiple of LANES */
} memory;

INLINE size_t head_at(const memory *m, int slot, int layer, int head) {
    return (((size_t)slot * m->layers + layer) * m->heads + head) * m->length * m->size;
}

INLINE void remember(memory *m, int slot, int layer, int head, int position, const float *key, const float *value) {
    const size_t at = head_at(m, slot, layer, head);
    half *keys = m->keys + at + (size_t)(position / LANES) * LANES * m->size + position % LANES;
    for (int d = 0; d < m->size; d += LANES) {
        half narrowed[LANES];
        store_halves(narrowed, load(key + d));
        for (int i = 0; i < LANES; i++) keys[(size_t)(d + i) * LANES] = narrowed[i];
        store_halves(m->values + at + (size_t)position * m->size + d, load(value + d));
    }
}

/* Softmax over positions 0..last of the scores, in place; returns nothing left over: they sum to one. */
INLINE void softmax(float *scores, int last) {
    const int blocks = last / LANES + 1;
    floats most = load(scores);
    for (int b = 1; b < blocks; b++) most = max16(most, load(scores + b * LANES));
    const floats top = same(most16(most));
    floats sum = same(0);
    for (int b = 0; b < blocks; b++) {
        const floats e = exp16(load(scores + b * LANES) - top);
        store(scores + b * LANES, e);
        sum = sum + e;
    }
    const floats share = same(1.0f / sum16(sum));
    for (int b = 0; b < blocks; b++) store(scores + b * LANES, load(scores + b * LANES) * share);
}

#define HEADS_AT_ONCE 4

/* What is read after this: the next head's past, asked for while this one's is worked on. */
typedef struct {
    size_t at;
    int last; /* -1 for nothing */
} upcoming;

/* Asks for `lines` lines of 64 bytes; nothing depends on it. */
INLINE void ask_for(const half *at, int lines) {
    for (int i = 0; i < lines; i++) __builtin_prefetch((const char *)at + 64 * i, 0, 2);
}

INLINE void attend_with(const memory *m, size_t at, int last, const int count, const float *queries, float *scores, float *out, upcoming next) {
    const half *keys = m->keys + at, *values = m->values + at;
    const float scaling = 1.0f / sqrtf((float)m->size);
    for (int b = 0; b <= last / LANES; b++) {
        const half *block = keys + (size_t)b * LANES * m->size;
        if (b * LANES <= next.last) ask_for(m->keys + next.at + (size_t)b * LANES * m->size, m->size / 2);
        floats even[HEADS_AT_ONCE], odd[HEADS_AT_ONCE];
        for (int h = 0; h < count; h++) even[h] = odd[h] = same(0);
        for (int d = 0; d < m->size; d += 2) {
            const floats one = load_halves(block + (size_t)d * LANES), two = load_halves(block + (size_t)(d + 1) * LANES);
#pragma GCC unroll 4
            for (int h = 0; h < count; h++) {
                even[h] = fma16(same(queries[h * m->size + d]), one, even[h]);
                odd[h] = fma16(same(queries[h * m->size + d + 1]), two, odd[h]);
            }
        }
        for (int h = 0; h < count; h++) store(scores + h * m->length + b * LANES, (even[h] + odd[h]) * same(scaling));
    }
    for (int h = 0; h < count; h++) {
        for (int p = last + 1; p % LANES; p++) scores[h * m->length + p] = -INFINITY;
        softmax(scores + h * m->length, last);
    }
    for (int d = 0; d < m->size; d += 2 * LANES) {
        const int two = m->size - d > LANES;
        floats left[HEADS_AT_ONCE], right[HEADS_AT_ONCE];
        for (int h = 0; h < count; h++) left[h] = right[h] = same(0);
        for (int p = 0; p <= last; p++) {
            const half *value = values + (size_t)p * m->size + d;
            if (p <= next.last) ask_for(m->values + next.at + (size_t)p * m->size + d, 1);
            const floats one = load_halves(value), other = two ? load_halves(value + LANES) : same(0);
#pragma GCC unroll 4
            for (int h = 0; h < count; h++) {
                const floats share = same(scores[h * m->length + p]);
                left[h] = fma16(share, one, left[h]);
                right[h] = fma16(share, other, right[h]);
            }
        }
        for (int h = 0; h < count; h++) {
            store(out + h * m->size + d, left[h]);
            if (two) store(out + h * m->size + d + LANES, right[h]);
        }
    }
}

/* `count` <= HEADS_AT_ONCE query heads against the first last + 1 positions of the key head they share; `scores` has room
 * for `length` of each. */
static void attend(const memory *m, size_t at, int last, int count, const float *queries, float *scores, float *out, upcoming next) {
    switch (count) {
        case 1: attend_with(m, at, last, 1, queries, scores, out, next); return;
        case 2: attend_with(m, at, last, 2, queries, scores, out, next); return;
        case 3: attend_with(m, at, last, 3, queries, scores, out, next); return;
        default: attend_with(m, at, last, 4, queries, scores, out, next);
    }
}
