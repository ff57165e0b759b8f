/* The next token of one text, drawn by the scores of all tokens. */
#include "lanes.h"
#include "mark.h"

#include <math.h>

enum { TOP_MOST = 256 };

/* How tokens are drawn; temperature 0 takes the likeliest. */
typedef struct {
    double temperature, top_p;
    float repetition;
    int32_t top_k; /* up to TOP_MOST */
} sampling;

/* Whether one (score, token) comes before another: the higher score, then the lower token. */
INLINE int before(float score, int32_t token, float other, int32_t other_token) {
    return score > other || (score == other && token < other_token);
}

/* The `most` likeliest of `count` tokens, best first; returns how many there are. */
static int32_t likeliest(const float *scores, int32_t count, int32_t most, int32_t *tokens, float *best) {
    int32_t found = 0;
    float least = -INFINITY;
    for (int32_t start = 0; start < count; start += LANES) {
        if (start + LANES <= count && found == most && !any16(load(scores + start) > same(least))) continue;
        for (int32_t token = start; token < start + LANES && token < count; token++) {
            const float score = scores[token];
            if (!(score > -INFINITY) || (found == most && !before(score, token, best[found - 1], tokens[found - 1]))) continue;
            int32_t place = found < most ? found++ : found - 1;
            for (; place > 0 && before(score, token, best[place - 1], tokens[place - 1]); place--) {
                best[place] = best[place - 1];
                tokens[place] = tokens[place - 1];
            }
            best[place] = score;
            tokens[place] = token;
            least = best[found - 1];
        }
    }
    return found;
}

/* Makes tokens written before less likely, each once, and banned ones impossible; `kept` has room for what they were. */
static void change(float *scores, int32_t count, const int32_t *written, int32_t length, float repetition,
                   const int32_t *banned, int32_t banned_count, float *kept) {
    uint64_t seen[(count + 63) / 64];
    memset(seen, 0, sizeof seen);
    for (int32_t i = 0; i < length; i++) {
        const int32_t token = written[i];
        const uint64_t bit = (uint64_t)1 << token % 64;
        kept[i] = scores[token];
        if (seen[token / 64] & bit) continue;
        seen[token / 64] |= bit;
        scores[token] = kept[i] > 0 ? kept[i] / repetition : kept[i] * repetition;
    }
    for (int32_t i = 0; i < banned_count; i++) {
        kept[length + i] = scores[banned[i]];
        scores[banned[i]] = -INFINITY;
    }
}

/* As it was before `change`: backwards, so that the first of several changes to a token is the last to go. */
static void change_back(float *scores, const int32_t *written, int32_t length, const int32_t *banned, int32_t banned_count,
                        const float *kept) {
    for (int32_t i = banned_count; i--;) scores[banned[i]] = kept[length + i];
    for (int32_t i = length; i--;) scores[written[i]] = kept[i];
}

/* Nucleus sampling (Holtzman et al. 2020) among the likeliest tokens, best first, leaning as the mark's key wants. */
static int32_t draw(const int32_t *tokens, const float *best, int32_t found, const sampling *how, double chance,
                    const int32_t *written, int32_t length, const uint8_t *key, int32_t key_size) {
    double chances[TOP_MOST], all = 0, kept = 0, heap = 0;
    uint32_t signs[TOP_MOST];
    int32_t count = 0;
    for (int32_t i = 0; i < found; i++) all += chances[i] = exp(((double)best[i] - (double)best[0]) / how->temperature);
    while (count < found && (!count || kept < how->top_p * all)) kept += chances[count++];
    for (int32_t i = 0; i < count; i++) chances[i] /= kept;
    if (key) mark_lean(key, key_size, written, length, tokens, chances, count, signs);
    for (int32_t i = 0; i < count; i++) heap += chances[i];
    chance *= heap;
    heap = 0;
    for (int32_t i = 0; i < count; i++) {
        heap += chances[i];
        if (heap > chance) return tokens[i];
    }
    return tokens[count - 1];
}

/* A token after the `length` tokens of a text so far, or -1 when all are banned. `chance` in [0, 1) is all the luck there
 * is; `key` may be NULL for no mark; `kept` has room for length + banned_count. The scores are as before when it returns. */
int32_t choose_token(float *scores, int32_t count, const int32_t *written, int32_t length, const int32_t *banned,
                     int32_t banned_count, const sampling *how, double chance, const uint8_t *key, int32_t key_size,
                     float *kept) {
    int32_t tokens[TOP_MOST];
    float best[TOP_MOST];
    const int32_t repeated = how->repetition == 1 ? 0 : length;
    const int32_t wanted = how->top_k < TOP_MOST ? how->top_k : TOP_MOST;
    change(scores, count, written, repeated, how->repetition, banned, banned_count, kept);
    const int32_t found = likeliest(scores, count, how->temperature <= 0 ? 1 : wanted, tokens, best);
    change_back(scores, written, repeated, banned, banned_count, kept);
    if (!found) return -1;
    if (found == 1) return tokens[0];
    return draw(tokens, best, found, how, chance, written, length, key, key_size);
}
