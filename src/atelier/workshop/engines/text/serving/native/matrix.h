/* Weight matrices in 4 or 8 bits, and rows of activations in 8.
 *
 * A matrix is cut into groups of 16 outputs and blocks of 32 inputs. A block of a group holds the levels (unsigned, four
 * inputs of an output side by side), then 16 steps and 16 floors in half precision: weight = step * level + floor. With
 * 4 bits, byte i of vector v has the level of input quad v in its low half and that of quad v + 4 in its high half.
 * The sum of products of levels is exact, so a row's result depends neither on the other rows nor on the processor. */
#pragma once

#include "lanes.h"

#define BLOCK 32
#define TILE 16  /* rows that go through a group together */
#define STRIP 8  /* rows whose sums fit the registers of vector units */

typedef struct {
    const uint8_t *data;
    int outputs, inputs, bits;
} matrix;

/* Rows of activations: x = scale * level, a scale for each block; `sums` are the sums of the levels of a block. */
typedef struct {
    int8_t *levels;
    float *scales, *sums;
    int inputs; /* of a row, a multiple of BLOCK */
} activations;

INLINE size_t block_bytes(int bits) { return (size_t)BLOCK * LANES * bits / 8 + 4 * LANES; }

/* Asks for a stretch of memory that is read soon; nothing depends on it. */
INLINE void expect_soon(const uint8_t *at, size_t size) {
    for (size_t i = 0; i < size; i += 64) __builtin_prefetch(at + i, 0, 3);
}

INLINE const uint8_t *group_of(const matrix *m, int group) {
    return m->data + (size_t)group * (m->inputs / BLOCK) * block_bytes(m->bits);
}

INLINE void unpack(const uint8_t *from, int bits, bytes quads[8]) {
    if (bits == 8) {
        for (int i = 0; i < 8; i++) quads[i] = load_bytes(from + 64 * i);
        return;
    }
    for (int i = 0; i < 4; i++) {
        const ints halves = (ints)load_bytes(from + 64 * i);
        quads[i] = (bytes)(halves & 0x0f0f0f0f);
        quads[i + 4] = (bytes)((halves >> 4) & 0x0f0f0f0f);
    }
}

/* Levels of one row. */
INLINE void quantise_row(const activations *to, int row, const float *x) {
    const int blocks = to->inputs / BLOCK;
    for (int b = 0; b < blocks; b++) {
        const floats one = load(x + b * BLOCK), two = load(x + b * BLOCK + LANES);
        const float most = most16(max16(max16(one, -one), max16(two, -two)));
        const float scale = most / 127.0f, inverse = most > 0 ? 127.0f / most : 0.0f;
        const ints first = whole16(nearest16(one * same(inverse))), second = whole16(nearest16(two * same(inverse)));
        int8_t *levels = to->levels + (size_t)row * to->inputs + b * BLOCK;
        store_bytes(levels, first);
        store_bytes(levels + LANES, second);
        to->scales[row * blocks + b] = scale;
        to->sums[row * blocks + b] = (float)total16(first + second);
    }
}

/* `count` rows of activations from `row` on, times one group of a matrix; count is known to the compiler. */
INLINE void strip(const matrix *m, const uint8_t *at, const activations *a, int row, const int count, const int bits, floats *out) {
    const int blocks = m->inputs / BLOCK;
    const int8_t *levels = a->levels + (size_t)row * a->inputs;
    const float *scales = a->scales + row * blocks, *sums = a->sums + row * blocks;
    floats total[STRIP];
#pragma GCC unroll 8
    for (int r = 0; r < count; r++) total[r] = same(0);
    const size_t whole = blocks * block_bytes(bits);
    for (int b = 0; b < blocks; b++, at += block_bytes(bits)) {
        bytes quads[8];
        unpack(at, bits, quads);
        expect_soon(at + whole, block_bytes(bits));
        const half *numbers = (const half *)(at + block_bytes(bits) - 4 * LANES);
        const floats step = load_halves(numbers), floor = load_halves(numbers + LANES);
#pragma GCC unroll 8
        for (int r = 0; r < count; r++) {
            const int8_t *of = levels + (size_t)r * a->inputs + b * BLOCK;
            ints even = {0}, odd = {0};
#pragma GCC unroll 4
            for (int i = 0; i < 8; i += 2) {
                even = dot4(even, quads[i], of + 4 * i);
                odd = dot4(odd, quads[i + 1], of + 4 * i + 4);
            }
            const floats products = fma16(same(sums[r * blocks + b]), floor, real16(even + odd) * step);
            total[r] = fma16(products, same(scales[r * blocks + b]), total[r]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < count; r++) out[r] = total[r];
}

#define CASE(count) \
    case count: \
        if (m->bits == 4) strip(m, at, a, row, count, 4, out); \
        else strip(m, at, a, row, count, 8, out); \
        return;

static void multiply_strip(const matrix *m, const uint8_t *at, const activations *a, int row, int count, floats *out) {
    switch (count) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
    }
}
#undef CASE

#include "tiles.h"

/* 16 outputs of `count` <= TILE rows: out[r] holds outputs 16 * group and on of row `row` + r. */
static void multiply(const matrix *m, int group, const activations *a, int row, int count, floats *out) {
    const uint8_t *at = group_of(m, group);
    if (count >= TILES_FROM && tiles_work()) {
        multiply_tiles(m, at, a, row, count, out);
        return;
    }
    for (int r = 0; r < count; r += STRIP)
        multiply_strip(m, at, a, row + r, count - r < STRIP ? count - r : STRIP, out + r);
}

/* One row of the matrix itself, `inputs` floats: for looking up embeddings. */
static void weights_of(const matrix *m, int output, float *to) {
    const uint8_t *at = group_of(m, output / LANES);
    const int lane = output % LANES;
    for (int b = 0; b < m->inputs / BLOCK; b++, at += block_bytes(m->bits)) {
        bytes quads[8];
        unpack(at, m->bits, quads);
        const half *numbers = (const half *)(at + block_bytes(m->bits) - 4 * LANES);
        const float step = wide(numbers[lane]), floor = wide(numbers[LANES + lane]);
        for (int k = 0; k < BLOCK; k++) to[b * BLOCK + k] = fmaf(step, (float)quads[k / 4][4 * lane + k % 4], floor);
    }
}
