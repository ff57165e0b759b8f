/* What this machine can do at most: bytes read from memory, and products of 8-bit numbers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__AMX_INT8__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Reads `count` words `times` times over. */
uint64_t read_all(const uint64_t *words, int64_t count, int64_t times)
{
    uint64_t sums[64] = {0}, all = 0;
    for (int64_t time = 0; time < times; time++) {
        for (int64_t at = 0; at + 64 <= count; at += 64)
            for (int lane = 0; lane < 64; lane++)
                sums[lane] ^= words[at + lane];
        __asm__ volatile("" : : "r"(sums) : "memory");
    }
    for (int lane = 0; lane < 64; lane++)
        all ^= sums[lane];
    return all;
}

#if defined(__AMX_INT8__) && defined(__linux__)
/* Matrix units: each instruction multiplies 16 rows of 64 with 64 columns of 16. */
static int64_t products_by_tiles(int64_t times)
{
    struct { uint8_t palette, start, none[14]; uint16_t width[16]; uint8_t rows[16]; } shape;
    uint8_t values[1024] = {1};
    memset(&shape, 0, sizeof shape);
    if (syscall(SYS_arch_prctl, 0x1023, 18)) /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
        return 0;
    shape.palette = 1;
    for (int tile = 0; tile < 8; tile++)
        shape.width[tile] = 64, shape.rows[tile] = 16;
    /* GCC before 14 believes that only the first bytes of this are read, and drops what is written to the rest. */
    __asm__ volatile("" : : "r"(&shape) : "memory");
    _tile_loadconfig(&shape);
    _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
    _tile_loadd(4, values, 64); _tile_loadd(5, values, 64); _tile_loadd(6, values, 64); _tile_loadd(7, values, 64);
    for (int64_t time = 0; time < times; time++) {
        _tile_dpbusd(0, 4, 6); _tile_dpbusd(1, 4, 7); _tile_dpbusd(2, 5, 6); _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(0, values, 64);
    _tile_release();
    return times * 4 * 16 * 16 * 64;
}
#endif

/* Makes `times` rounds of products and says how many products that were. */
int64_t make_products(int64_t times)
{
#if defined(__AMX_INT8__) && defined(__linux__)
    int64_t made = products_by_tiles(times);
    if (made)
        return made;
#endif
#if defined(__AVX512VNNI__)
    __m512i sums[12], left = _mm512_set1_epi8(3), right = _mm512_set1_epi8(5);
    for (int lane = 0; lane < 12; lane++)
        sums[lane] = _mm512_setzero_si512();
    for (int64_t time = 0; time < times; time++)
        for (int lane = 0; lane < 12; lane++) {
            sums[lane] = _mm512_dpbusd_epi32(sums[lane], left, right);
            __asm__ volatile("" : "+v"(sums[lane]));
        }
    return times * 12 * 64;
#else
    /* Eight-bit products in plain C, as wide as the compiler makes them. */
    static const int8_t left[4096] = {1}, right[4096] = {2};
    volatile int32_t kept = 0;
    for (int64_t time = 0; time < times; time++) {
        int32_t sum = 0;
        for (int at = 0; at < 4096; at++)
            sum += (int32_t)left[at] * right[at];
        kept += sum;
        __asm__ volatile("" : : "r"(left), "r"(right) : "memory");
    }
    return times * 4096;
#endif
}
