/* Sixteen numbers at a time, with the same bits on every processor.
 *
 * Each function here is exact or rounds once, in the same order whatever the instruction set; nothing else in this
 * folder does arithmetic on rows. Compile with -ffp-contract=off. */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && !defined(ATELIER_PLAIN)
#include <immintrin.h>
#endif

#define LANES 16
#define INLINE static inline __attribute__((always_inline))

typedef float floats __attribute__((vector_size(64), aligned(4)));
typedef int32_t ints __attribute__((vector_size(64), aligned(4)));
typedef uint8_t bytes __attribute__((vector_size(64), aligned(1)));
typedef uint16_t half;

#if defined(__AVX512F__) && !defined(ATELIER_PLAIN)
#define WIDE 1
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__) && !defined(ATELIER_PLAIN)
#define NARROW 1
#endif

typedef union {
    floats f;
    ints i;
    bytes b;
#if defined(WIDE)
    __m512 m;
    __m512i mi;
#elif defined(NARROW)
    __m256 m[2];
    __m256i mi[2];
#endif
} lanes;

/* Taking nothing away keeps the sign of zero, which adding nothing would not. */
INLINE floats same(float value) { return value - (floats){0}; }

/* Memory of any type and place. A memcpy of 64 bytes would go in two halves, through the stack. */
typedef float floats_there __attribute__((vector_size(64), aligned(1), may_alias));
typedef int32_t ints_there __attribute__((vector_size(64), aligned(1), may_alias));
typedef uint8_t bytes_there __attribute__((vector_size(64), aligned(1), may_alias));

INLINE floats load(const float *from) { return *(const floats_there *)from; }
INLINE ints load_ints(const int32_t *from) { return *(const ints_there *)from; }
INLINE bytes load_bytes(const uint8_t *from) { return *(const bytes_there *)from; }
INLINE void store(float *to, floats values) { *(floats_there *)to = values; }

/* a * b + c, rounded once. */
INLINE floats fma16(floats a, floats b, floats c) {
    lanes x = {.f = a}, y = {.f = b}, z = {.f = c};
#if defined(WIDE)
    z.m = _mm512_fmadd_ps(x.m, y.m, z.m);
#elif defined(NARROW)
    for (int i = 0; i < 2; i++) z.m[i] = _mm256_fmadd_ps(x.m[i], y.m[i], z.m[i]);
#else
    for (int i = 0; i < LANES; i++) z.f[i] = fmaf(x.f[i], y.f[i], z.f[i]);
#endif
    return z.f;
}

INLINE floats max16(floats a, floats b) {
    const ints greater = a > b;
    return (floats)(((ints)a & greater) | ((ints)b & ~greater));
}

/* The sum of all lanes, as a balanced tree. */
INLINE float sum16(floats v) {
    for (int width = 8; width; width /= 2)
        for (int i = 0; i < width; i++) v[i] = v[i] + v[i + width];
    return v[0];
}

/* The greatest lane; its sum of integers, and its lanes as bytes (each fits): exact in any order. */
INLINE float most16(floats v) {
#if defined(WIDE)
    const lanes x = {.f = v};
    return _mm512_reduce_max_ps(x.m);
#else
    float most = v[0];
    for (int i = 1; i < LANES; i++) most = v[i] > most ? v[i] : most;
    return most;
#endif
}

INLINE int32_t total16(ints v) {
#if defined(WIDE)
    const lanes x = {.i = v};
    return _mm512_reduce_add_epi32(x.mi);
#else
    int32_t total = 0;
    for (int i = 0; i < LANES; i++) total += v[i];
    return total;
#endif
}

/* Whether any lane is other than zero. */
INLINE int any16(ints v) {
#if defined(WIDE)
    const lanes x = {.i = v};
    return _mm512_test_epi32_mask(x.mi, x.mi) != 0;
#else
    int32_t any = 0;
    for (int i = 0; i < LANES; i++) any |= v[i];
    return any != 0;
#endif
}

INLINE void store_bytes(int8_t *to, ints v) {
#if defined(WIDE)
    const lanes x = {.i = v};
    _mm_storeu_si128((__m128i *)to, _mm512_cvtepi32_epi8(x.mi));
#else
    for (int i = 0; i < LANES; i++) to[i] = (int8_t)v[i];
#endif
}

/* To the nearest integer, ties to even; |v| < 2^22. Adding 1.5 * 2^23 leaves no room for a fraction. */
INLINE floats nearest16(floats v) {
    const floats large = same(12582912.0f);
    return (v + large) - large;
}

INLINE ints whole16(floats v) { return __builtin_convertvector(v, ints); }
INLINE floats real16(ints v) { return __builtin_convertvector(v, floats); }

/* e^v to within two units in the last place for v <= 88; 0 below -64, so that no later product is too small for full
 * speed. Range reduction after Cody and Waite, the polynomial from Cephes' expf. */
INLINE floats exp16(floats v) {
    const floats low = same(-64.0f);
    const ints below = v < low;
    v = max16(v, low);
    const floats n = nearest16(v * same(1.44269504088896341f));
    v = fma16(n, same(-0.693359375f), v);
    v = fma16(n, same(2.12194440e-4f), v);
    floats p = same(1.9875691500e-4f);
    p = fma16(p, v, same(1.3981999507e-3f));
    p = fma16(p, v, same(8.3334519073e-3f));
    p = fma16(p, v, same(4.1665795894e-2f));
    p = fma16(p, v, same(1.6666665459e-1f));
    p = fma16(p, v, same(5.0000001201e-1f));
    p = fma16(p, v * v, v + same(1.0f));
    const ints power = (whole16(n) + 127) << 23;
    return (floats)((ints)(p * (floats)power) & ~below);
}

INLINE float wide(half h) {
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
    float out;
    if (rest < 0x0400) {
        out = (float)rest * 5.9604644775390625e-8f;
    } else {
        const uint32_t bits = rest < 0x7c00 ? (rest << 13) + 0x38000000u : (rest << 13) + 0x70000000u;
        memcpy(&out, &bits, 4);
    }
    uint32_t bits;
    memcpy(&bits, &out, 4);
    bits |= sign;
    memcpy(&out, &bits, 4);
    return out;
}

/* To half precision, ties to even. */
INLINE half narrow(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    const uint32_t sign = (bits >> 16) & 0x8000, rest = bits & 0x7fffffff;
    if (rest >= 0x47800000) return (half)(sign | (rest > 0x7f800000 ? 0x7e00 : 0x7c00));
    if (rest < 0x38800000) {
        float magnitude;
        memcpy(&magnitude, &rest, 4);
        return (half)(sign | (uint32_t)(int32_t)lrintf(magnitude * 16777216.0f));
    }
    return (half)(sign | ((rest - 0x38000000 + 0x0fff + ((rest >> 13) & 1)) >> 13));
}

INLINE floats load_halves(const half *from) {
    lanes out;
#if defined(WIDE)
    out.m = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
#elif defined(NARROW)
    for (int i = 0; i < 2; i++) out.m[i] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from + i));
#else
    for (int i = 0; i < LANES; i++) out.f[i] = wide(from[i]);
#endif
    return out.f;
}

INLINE void store_halves(half *to, floats values) {
    lanes in = {.f = values};
#if defined(WIDE)
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtps_ph(in.m, _MM_FROUND_TO_NEAREST_INT));
#elif defined(NARROW)
    for (int i = 0; i < 2; i++)
        _mm_storeu_si128((__m128i *)to + i, _mm256_cvtps_ph(in.m[i], _MM_FROUND_TO_NEAREST_INT));
#else
    for (int i = 0; i < LANES; i++) to[i] = narrow(in.f[i]);
#endif
}

/* Adds to each lane the products of its four unsigned bytes with the four signed bytes at `four`. Exact. */
INLINE ints dot4(ints total, bytes weights, const int8_t *four) {
    int32_t word;
    memcpy(&word, four, 4);
    lanes sum = {.i = total}, w = {.b = weights};
#if defined(WIDE) && defined(__AVX512VNNI__)
    sum.mi = _mm512_dpbusd_epi32(sum.mi, w.mi, _mm512_set1_epi32(word));
#elif defined(NARROW) || defined(WIDE)
    const __m256i signs = _mm256_set1_epi32(word);
    const __m256i low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(signs));
    int32_t *out = (int32_t *)&sum;
    for (int i = 0; i < 4; i++) {
        /* Sixteen bytes are four lanes: their products in pairs, then the pairs. */
        const __m256i u = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)&w + i));
        const __m256i pairs = _mm256_madd_epi16(u, low);
        const __m256i four_sums = _mm256_hadd_epi32(pairs, pairs);
        const __m128i both = _mm_unpacklo_epi64(_mm256_castsi256_si128(four_sums), _mm256_extracti128_si256(four_sums, 1));
        const __m128i before = _mm_loadu_si128((const __m128i *)(out + 4 * i));
        _mm_storeu_si128((__m128i *)(out + 4 * i), _mm_add_epi32(before, both));
    }
#else
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < 4; k++) sum.i[i] += (int32_t)w.b[4 * i + k] * four[k];
#endif
    return sum.i;
}
