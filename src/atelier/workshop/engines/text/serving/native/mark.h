/* The hidden mark of marks/text.py, worked in where a token is drawn: the chances after a knock-out tournament whose
 * rounds are decided by signs that a secret key gives to the tokens (Dathathri et al. 2024, SynthID-Text). */
#pragma once

#include "blake2b.h"

enum { MARK_CONTEXT = 4, MARK_ROUNDS = 30, MARK_DIGEST = 4 };

static const uint8_t mark_purpose[16] = "atelier text 1";

static void mark_number(uint8_t *to, int32_t token) {
    for (int byte = 0; byte < 4; byte++) to[byte] = (uint8_t)((uint32_t)token >> 8 * byte);
}

/* Whether the last tokens stood in the text before, in the same order. */
static int mark_stood_before(const int32_t *written, int32_t count) {
    const int32_t *last = written + count - MARK_CONTEXT;
    for (int32_t start = 0; start < count - MARK_CONTEXT; start++)
        if (!memcmp(written + start, last, MARK_CONTEXT * sizeof *written)) return 1;
    return 0;
}

/* Leans the chances (they sum to one) of `count` tokens; leaves them where this place is not marked. `signs` has room for
 * `count`. */
static void mark_lean(const uint8_t *key, int key_size, const int32_t *written, int32_t length, const int32_t *tokens,
                      double *chances, int32_t count, uint32_t *signs) {
    if (count < 2 || length < MARK_CONTEXT || mark_stood_before(written, length)) return;
    const blake2b begun = blake2b_begin(key, key_size, MARK_DIGEST, mark_purpose);
    uint8_t message[4 * (MARK_CONTEXT + 1)];
    for (int i = 0; i < MARK_CONTEXT; i++) mark_number(message + 4 * i, written[length - MARK_CONTEXT + i]);
    for (int32_t i = 0; i < count; i++) {
        mark_number(message + 4 * MARK_CONTEXT, tokens[i]);
        signs[i] = (uint32_t)blake2b_end(begun, message, sizeof message);
    }
    for (int round = 0; round < MARK_ROUNDS; round++) {
        const int bit = round / 8 * 8 + 7 - round % 8; /* the digest's bits, the highest of a byte first */
        double ones = 0;
        for (int32_t i = 0; i < count; i++) ones += signs[i] >> bit & 1 ? chances[i] : 0;
        for (int32_t i = 0; i < count; i++) chances[i] *= (double)(signs[i] >> bit & 1) + 1 - ones;
    }
    for (int32_t i = 0; i < count; i++) chances[i] = chances[i] > 0 ? chances[i] : 0; /* rounding may leave less */
}
