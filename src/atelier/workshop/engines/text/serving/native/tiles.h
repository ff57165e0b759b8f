/* The same products on the matrix units of newer Intel processors (AMX): sixteen rows at once, with the same bits. */
#pragma once

#define TILES_FROM 4 /* rows; fewer are quicker on the vector units */

#if defined(WIDE) && defined(__AMX_INT8__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

enum { TILE_DATA = 18, REQUEST_PERMISSION = 0x1023 };

static int tiles_allowed; /* set once by `allow_tiles`, before any thread starts */

/* Asks Linux for the units' registers. */
static void allow_tiles(void) { tiles_allowed = syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0; }

INLINE int tiles_work(void) { return tiles_allowed; }

/* Each thread before its products, and after: sums 16 x 16, rows 16 x 32 levels, a block of 8 quads x 16 outputs. */
static void take_tiles(void) {
    if (!tiles_allowed) return;
    struct {
        uint8_t palette, start, none[14];
        uint16_t width[16];
        uint8_t rows[16];
    } shape = {.palette = 1, .width = {64, 64, BLOCK, BLOCK, 64, 64}, .rows = {16, 16, 16, 16, 8, 8}};
    _tile_loadconfig(&shape);
}

static void leave_tiles(void) {
    if (tiles_allowed) _tile_release();
}

INLINE void add_products(const int32_t *sums, const uint8_t *numbers, const activations *a, int row, int block, int count, floats *out) {
    const int blocks = a->inputs / BLOCK;
    const floats step = load_halves((const half *)numbers), floor = load_halves((const half *)numbers + LANES);
    const float *scales = a->scales + row * blocks + block, *levels = a->sums + row * blocks + block;
    for (int r = 0; r < count; r++) {
        ints sum;
        memcpy(&sum, sums + r * LANES, sizeof sum);
        const floats products = fma16(same(levels[r * blocks]), floor, real16(sum) * step);
        out[r] = fma16(products, same(scales[r * blocks]), out[r]);
    }
}

INLINE void through_tiles(const matrix *m, const uint8_t *at, const activations *a, int row, const int count, const int bits, floats *out) {
    const int blocks = m->inputs / BLOCK;
    const size_t size = block_bytes(bits), whole = blocks * size;
    const int8_t *levels = a->levels + (size_t)row * a->inputs;
    int32_t sums[2][TILE * LANES] __attribute__((aligned(64)));
    bytes quads[2][8] __attribute__((aligned(64)));
    for (int r = 0; r < count; r++) out[r] = same(0);
    for (int b = 0; b < blocks; b += 2) {
        const uint8_t *one = at + b * size, *two = one + size;
        const int both = b + 1 < blocks;
        expect_soon(one + whole, size * 2);
        if (bits == 4) {
            unpack(one, 4, quads[0]);
            if (both) unpack(two, 4, quads[1]);
        }
        _tile_zero(0);
        _tile_loadd(2, levels + b * BLOCK, a->inputs);
        _tile_loadd(4, bits == 4 ? (const void *)quads[0] : one, 64);
        _tile_dpbsud(0, 2, 4);
        _tile_stored(0, sums[0], 64);
        if (both) {
            _tile_zero(1);
            _tile_loadd(3, levels + (b + 1) * BLOCK, a->inputs);
            _tile_loadd(5, bits == 4 ? (const void *)quads[1] : two, 64);
            _tile_dpbsud(1, 3, 5);
            _tile_stored(1, sums[1], 64);
        }
        add_products(sums[0], one + size - 4 * LANES, a, row, b, count, out);
        if (both) add_products(sums[1], two + size - 4 * LANES, a, row, b + 1, count, out);
    }
}

/* Rows beyond `count` are worked out too and thrown away: there must be memory for TILE of them. */
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
static void take_tiles(void) {}
static void leave_tiles(void) {}
INLINE int tiles_work(void) { return 0; }
static void multiply_tiles(const matrix *m, const uint8_t *at, const activations *a, int row, int count, floats *out) {
    (void)m, (void)at, (void)a, (void)row, (void)count, (void)out;
}
#endif
