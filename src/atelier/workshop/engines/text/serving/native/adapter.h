/* A creator's low-rank parts in 8 bits, and rows going through them.
 *
 * A down part (inputs to rank) lies in groups of 16 outputs and blocks of 32 inputs as in matrix.h; an up part (rank to
 * outputs) in groups of 16 outputs. Levels are unsigned around 128, with one step in half precision for each output of
 * a block or group. */
#pragma once

#include "matrix.h"

#define RANK_MOST 32

/* What came out of a down part, in 8 bits: value = scale * level. */
typedef struct {
    int8_t levels[RANK_MOST];
    float scale;
    int32_t shift; /* -128 times the sum of the levels */
} lowered;

INLINE size_t up_bytes(int rank) { return (size_t)rank * LANES + 2 * LANES; }

/* One row of activations through a group of a down part: 16 numbers. */
INLINE floats through_down(const uint8_t *part, int group, const activations *a, int row) {
    const int blocks = a->inputs / BLOCK;
    const size_t size = BLOCK * LANES + 2 * LANES;
    const uint8_t *at = part + (size_t)group * blocks * size;
    const int8_t *levels = a->levels + (size_t)row * a->inputs;
    floats total = same(0);
    for (int b = 0; b < blocks; b++, at += size, levels += BLOCK) {
        ints even = (ints){0} - 128 * (int32_t)a->sums[row * blocks + b], odd = {0};
#pragma GCC unroll 4
        for (int i = 0; i < 8; i += 2) {
            even = dot4(even, load_bytes(at + 64 * i), levels + 4 * i);
            odd = dot4(odd, load_bytes(at + 64 * i + 64), levels + 4 * i + 4);
        }
        const floats step = load_halves((const half *)(at + BLOCK * LANES));
        total = fma16(real16(even + odd) * step, same(a->scales[row * blocks + b]), total);
    }
    return total;
}

/* One row of activations through `parts` down parts that lie end to end. */
static void lower(const activations *a, int row, const uint8_t *part, int parts, int rank, lowered *to) {
    for (int p = 0; p < parts && rank; p++) {
        floats values[RANK_MOST / LANES], most = same(0);
        for (int g = 0; g < rank / LANES; g++) {
            values[g] = through_down(part, p * (rank / LANES) + g, a, row);
            most = max16(most, max16(values[g], -values[g]));
        }
        const float top = most16(most), inverse = top > 0 ? 127.0f / top : 0.0f;
        to[p].scale = top / 127.0f;
        int32_t sum = 0;
        for (int g = 0; g < rank / LANES; g++) {
            const ints levels = whole16(nearest16(values[g] * same(inverse)));
            store_bytes(to[p].levels + g * LANES, levels);
            sum += total16(levels);
        }
        to[p].shift = -128 * sum;
    }
}

/* 16 outputs of an up part. */
INLINE floats through_up(const uint8_t *part, int group, int rank, const lowered *from) {
    const uint8_t *at = part + group * up_bytes(rank);
    ints total = (ints){0} + from->shift;
    for (int i = 0; i < rank / 4; i++) total = dot4(total, load_bytes(at + 64 * i), from->levels + 4 * i);
    return real16(total) * load_halves((const half *)(at + (size_t)rank * LANES)) * same(from->scale);
}

/* Groups `from` to `to` of an up part, 16 outputs each; zeros when there is no adapter. */
INLINE void raise(const uint8_t *part, int rank, const lowered *low, int from, int to, float *out) {
    for (int g = from; g < to; g++, out += LANES)
        store(out, rank ? through_up(part, g, rank, low) : same(0));
}
