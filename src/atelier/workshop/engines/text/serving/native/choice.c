/* The likeliest tokens of one row of scores. */
#include "lanes.h"

/* Whether one (score, token) comes before another: the higher score, then the lower token. */
INLINE int before(float score, int32_t token, float other, int32_t other_token) {
    return score > other || (score == other && token < other_token);
}

/* The `most` likeliest of `count` tokens, best first, after those in `used` (each once) were made less likely by the
 * factor `repetition` and those in `banned` impossible. Writes tokens and scores; returns how many. The scores are as
 * before when it returns. Room: `kept` for used + banned floats. */
int32_t choose_top(float *scores, int32_t count, const int32_t *used, int32_t used_count, float repetition,
                   const int32_t *banned, int32_t banned_count, int32_t most, int32_t *tokens, float *best, float *kept) {
    for (int32_t i = 0; i < used_count; i++) {
        const float held = kept[i] = scores[used[i]];
        scores[used[i]] = held > 0 ? held / repetition : held * repetition;
    }
    for (int32_t i = 0; i < banned_count; i++) {
        kept[used_count + i] = scores[banned[i]];
        scores[banned[i]] = -INFINITY;
    }
    int32_t found = 0;
    float least = -INFINITY;
    for (int32_t start = 0; start < count; start += LANES) {
        if (start + LANES <= count && found == most) {
            const ints above = load(scores + start) > same(least);
            int32_t any = 0;
            for (int i = 0; i < LANES; i++) any |= above[i];
            if (!any) continue;
        }
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
    for (int32_t i = banned_count; i--;) scores[banned[i]] = kept[used_count + i];
    for (int32_t i = used_count; i--;) scores[used[i]] = kept[i];
    return found;
}
