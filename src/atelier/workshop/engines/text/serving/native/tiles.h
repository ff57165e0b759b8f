/* The same products on the matrix units of newer Intel processors (AMX): sixteen rows at once, with the same bits. */
#pragma once

#define TILES_FROM 10 /* rows; fewer are quicker on the vector units */

#if defined(WIDE) && defined(__AMX_INT8__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

enum { TILE_DATA = 18, REQUEST_PERMISSION = 0x1023 };

static int tiles_allowed; /* set once by `allow_tiles`, before any thread starts */

/* Asks Linux for the units' registers. */
static void allow_tiles(void) { tiles_allowed = syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0; }

INLINE int tiles_work(void) { return tiles_allowed; }

/* Each thread before its products, and after: sums rows x 16, rows x 32 levels, a block of 8 quads x 16 outputs. Fewer
 * rows are quicker. */
static void take_tiles(int rows) {
    if (!tiles_allowed) return;
    const uint8_t tall = (uint8_t)(rows < TILE ? rows : TILE);
    struct {
        uint8_t palette, start, none[14];
        uint16_t width[16];
        uint8_t rows[16];
    } shape = {.palette = 1, .width = {64, 64, BLOCK, BLOCK, 64, 64}, .rows = {tall, tall, tall, tall, 8, 8}};
    _tile_loadconfig(&shape);
}

static void leave_tiles(void) {
    if (tiles_allowed) _tile_release();
}

/* What is stored for the tiles, or by them, can only be read once it has reached the cache: a block's levels are laid out
 * one turn before they are multiplied, and its sums taken two turns after (measured: a fifth quicker than at once). */
enum { BEFORE = 1, AFTER = 2, RING = 4 };

/* The products of a block: the two sets of registers alternate. */
INLINE void tile_products(const void *quads, const int8_t *levels, int inputs, int32_t *sums, int block) {
    if (block % 2) {
        _tile_zero(1);
        _tile_loadd(3, levels, inputs);
        _tile_loadd(5, quads, 64);
        _tile_dpbsud(1, 3, 5);
        _tile_stored(1, sums, 64);
    } else {
        _tile_zero(0);
        _tile_loadd(2, levels, inputs);
        _tile_loadd(4, quads, 64);
        _tile_dpbsud(0, 2, 4);
        _tile_stored(0, sums, 64);
    }
}

INLINE void add_products(const int32_t *sums, const uint8_t *numbers, const float *scales, const float *levels, int blocks, const int count, floats *out) {
    const floats step = load_halves((const half *)numbers), floor = load_halves((const half *)numbers + LANES);
#pragma GCC unroll 16
    for (int r = 0; r < count; r++) {
        const floats products = fma16(same(levels[r * blocks]), floor, real16(load_ints(sums + r * LANES)) * step);
        out[r] = fma16(products, same(scales[r * blocks]), out[r]);
    }
}

INLINE void through_tiles(const matrix *m, const uint8_t *at, const activations *a, int row, const int count, const int bits, floats *out) {
    const int blocks = m->inputs / BLOCK;
    const size_t size = block_bytes(bits), whole = blocks * size;
    const int8_t *levels = a->levels + (size_t)row * a->inputs;
    const float *scales = a->scales + row * blocks, *sums_of_levels = a->sums + row * blocks;
    int32_t sums[RING][TILE * LANES] __attribute__((aligned(64)));
    bytes quads[RING][8] __attribute__((aligned(64)));
    floats total[TILE];
#pragma GCC unroll 16
    for (int r = 0; r < count; r++) total[r] = same(0);
    for (int b = -(BEFORE + AFTER); b < blocks; b++) {
        const int laid = b + BEFORE + AFTER, multiplied = b + AFTER;
        if (laid < blocks) {
            if (bits == 4) unpack(at + laid * size, 4, quads[laid % RING]);
            expect_soon(at + whole + laid * size, size);
        }
        if (multiplied >= 0 && multiplied < blocks) {
            const void *from = bits == 4 ? (const void *)quads[multiplied % RING] : at + multiplied * size;
            tile_products(from, levels + multiplied * BLOCK, a->inputs, sums[multiplied % RING], multiplied);
        }
        if (b >= 0)
            add_products(sums[b % RING], at + (b + 1) * size - 4 * LANES, scales + b, sums_of_levels + b, blocks, count, total);
    }
#pragma GCC unroll 16
    for (int r = 0; r < count; r++) out[r] = total[r];
}

/* `count` is at most the rows that the tiles were taken for; those beyond it are worked out too and thrown away, so there
 * must be memory for them. */
static void multiply_tiles(const matrix *m, const uint8_t *at, const activations *a, int row, int count, floats *out) {
    if (count == TILE) {
        if (m->bits == 4) through_tiles(m, at, a, row, TILE, 4, out);
        else through_tiles(m, at, a, row, TILE, 8, out);
    } else {
        if (m->bits == 4) through_tiles(m, at, a, row, count, 4, out);
        else through_tiles(m, at, a, row, count, 8, out);
    }
}
#else
static void allow_tiles(void) {}
static void take_tiles(int rows) { (void)rows; }
static void leave_tiles(void) {}
INLINE int tiles_work(void) { return 0; }
static void multiply_tiles(const matrix *m, const uint8_t *at, const activations *a, int row, int count, floats *out) {
    (void)m, (void)at, (void)a, (void)row, (void)count, (void)out;
}
#endif
