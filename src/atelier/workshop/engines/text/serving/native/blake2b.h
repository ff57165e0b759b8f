/* BLAKE2b with a key, for messages of at most one block (RFC 7693). */
#pragma once

#include <stdint.h>
#include <string.h>

#define BLAKE2B_BLOCK 128

typedef struct {
    uint64_t h[8];
} blake2b;

static const uint64_t blake2b_start[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

static const uint8_t blake2b_order[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

static inline uint64_t blake2b_turn(uint64_t value, int by) { return value >> by | value << (64 - by); }

static inline void blake2b_mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] = v[a] + v[b] + x;
    v[d] = blake2b_turn(v[d] ^ v[a], 32);
    v[c] = v[c] + v[d];
    v[b] = blake2b_turn(v[b] ^ v[c], 24);
    v[a] = v[a] + v[b] + y;
    v[d] = blake2b_turn(v[d] ^ v[a], 16);
    v[c] = v[c] + v[d];
    v[b] = blake2b_turn(v[b] ^ v[c], 63);
}

/* One block of which the first bytes are the message's; `so_far` counts the message's bytes with these. */
static void blake2b_compress(blake2b *to, const uint8_t *block, uint64_t so_far, int last) {
    uint64_t v[16], m[16];
    for (int i = 0; i < 16; i++) {
        m[i] = 0;
        for (int byte = 7; byte >= 0; byte--) m[i] = m[i] << 8 | block[8 * i + byte];
    }
    memcpy(v, to->h, sizeof to->h);
    memcpy(v + 8, blake2b_start, sizeof blake2b_start);
    v[12] ^= so_far;
    if (last) v[14] = ~v[14];
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = blake2b_order[round];
        for (int i = 0; i < 4; i++) blake2b_mix(v, i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
        for (int i = 0; i < 4; i++)
            blake2b_mix(v, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[s[2 * i + 8]], m[s[2 * i + 9]]);
    }
    for (int i = 0; i < 8; i++) to->h[i] ^= v[i] ^ v[i + 8];
}

/* Ready for a message, its key (up to 64 bytes) taken in; `purpose` has 16 bytes. */
static blake2b blake2b_begin(const uint8_t *key, int key_size, int digest_size, const uint8_t *purpose) {
    blake2b begun;
    uint8_t parameters[64] = {(uint8_t)digest_size, (uint8_t)key_size, 1, 1}, block[BLAKE2B_BLOCK] = {0};
    memcpy(parameters + 48, purpose, 16);
    for (int i = 0; i < 8; i++) {
        uint64_t word = 0;
        for (int byte = 7; byte >= 0; byte--) word = word << 8 | parameters[8 * i + byte];
        begun.h[i] = blake2b_start[i] ^ word;
    }
    memcpy(block, key, (size_t)key_size);
    blake2b_compress(&begun, block, BLAKE2B_BLOCK, 0);
    return begun;
}

/* The first eight bytes of the digest of a message of at most one block, the first byte lowest. */
static uint64_t blake2b_end(blake2b begun, const uint8_t *message, int size) {
    uint8_t block[BLAKE2B_BLOCK] = {0};
    memcpy(block, message, (size_t)size);
    blake2b_compress(&begun, block, BLAKE2B_BLOCK + (uint64_t)size, 1);
    return begun.h[0];
}
