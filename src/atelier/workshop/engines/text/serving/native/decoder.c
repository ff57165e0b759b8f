/* A Llama-shaped network that moves many texts on at once, each with an adapter of its own.
 *
 * A step takes any number of tokens, each with its slot and position: the newest tokens of texts in the making and whole
 * stretches of prompts alike. Every token's numbers are worked out by the same operations in the same order whoever else
 * is in the step, so the same text comes out alone or in company. */
#include "adapter.h"
#include "attention.h"
#include "team.h"

#include <stddef.h>

enum { Q, K, V, O, GATE, UP, DOWN, PER_LAYER };

typedef struct {
    int32_t hidden, layers, heads, kv_heads, head_size, inner, vocab, slots, length, threads, tokens;
    float epsilon;
} sizes;

/* Weights outside matrices, each may be NULL but the norms. */
typedef struct {
    const float *before_attention, *before_mlp, *q_bias, *k_bias, *v_bias, *q_norm, *k_norm;
} vectors;

/* An adapter's parts of one layer, as adapter.h has them; those of matrices that share their input lie end to end. */
typedef struct {
    const uint8_t *down_qkv, *up_q, *up_k, *up_v, *down_o, *up_o, *down_gu, *up_gate, *up_up, *down_down, *up_down;
    int64_t rank; /* a multiple of 16 up to RANK_MOST, or 0 for no adapter */
} low_rank;

typedef struct {
    sizes s;
    matrix embedding, head, *linear; /* layers * PER_LAYER */
    vectors *vector;
    const float *last_norm, *cosine, *sine; /* rotations: length x head_size / 2 */
    low_rank *adapters;                     /* slots x layers; all zero when a slot has none */
    memory past;
    team crew;
    float *x, *normed, *qkv, *mixed, *inner, *raised, *scores;
    lowered *low;     /* three a row */
    activations room; /* for rows of any width */
    /* of the step under way */
    int count, wanted, apart; /* apart: each row is of another slot, and there are some for everybody */
    const int32_t *tokens, *slot, *position, *rows; /* rows: whose logits are wanted */
    float *logits;
} decoder;

/* What of `all` is this member's. */
#define SHARE(all) \
    const int from = (int)((int64_t)(all) * me / crew->size), to = (int)((int64_t)(all) * (me + 1) / crew->size)

INLINE void normalise(const float *x, const float *gain, int size, float epsilon, float *to) {
    floats squares = same(0);
    for (int i = 0; i < size; i += LANES) squares = fma16(load(x + i), load(x + i), squares);
    const floats factor = same(1.0f / sqrtf(sum16(squares) / (float)size + epsilon));
    for (int i = 0; i < size; i += LANES) store(to + i, load(x + i) * factor * load(gain + i));
}

INLINE const low_rank *adapter_of(const decoder *d, int row, int layer) {
    return &d->adapters[(size_t)d->slot[row] * d->s.layers + layer];
}

#define PART(name) offsetof(low_rank, name)
INLINE const uint8_t *part_of(const low_rank *a, size_t part) {
    const uint8_t *at;
    memcpy(&at, (const char *)a + part, sizeof at);
    return at;
}

INLINE int q_size(const decoder *d) { return d->s.heads * d->s.head_size; }
INLINE int kv_size(const decoder *d) { return d->s.kv_heads * d->s.head_size; }
INLINE int qkv_size(const decoder *d) { return q_size(d) + 2 * kv_size(d); }
INLINE lowered *low_of(const decoder *d, int row) { return d->low + (size_t)row * 3; }

/* The prepared rows, each of so many inputs. */
INLINE activations rows_of(const decoder *d, int inputs) {
    activations a = d->room;
    a.inputs = inputs;
    return a;
}

static void add_bias(const float *bias, int group, floats *out, int count) {
    for (int r = 0; bias && r < count; r++) out[r] = out[r] + load(bias + group * LANES);
}

static void embed(decoder *d, int me, team *crew) {
    SHARE(d->count);
    for (int r = from; r < to; r++) weights_of(&d->embedding, d->tokens[r], d->x + (size_t)r * d->s.hidden);
}

static void before_attention(decoder *d, int layer, int me, team *crew) {
    SHARE(d->count);
    const int hidden = d->s.hidden;
    const activations input = rows_of(d, hidden);
    for (int r = from; r < to; r++) {
        float *normed = d->normed + (size_t)r * hidden;
        normalise(d->x + (size_t)r * hidden, d->vector[layer].before_attention, hidden, d->s.epsilon, normed);
        quantise_row(&input, r, normed);
        const low_rank *a = adapter_of(d, r, layer);
        lower(&input, r, a->down_qkv, 3, (int)a->rank, low_of(d, r));
    }
}

/* Each member first lets its share of the outputs come out of the adapters, row by row, so that their memory is read in
 * long stretches; the shared matrices follow, each group once for all rows. */
static void project_qkv(decoder *d, int layer, int me, team *crew) {
    const matrix *all = d->linear + layer * PER_LAYER;
    const vectors *extra = d->vector + layer;
    const activations input = rows_of(d, d->s.hidden);
    const int ends[] = {0, q_size(d) / LANES, (q_size(d) + kv_size(d)) / LANES, qkv_size(d) / LANES};
    const float *biases[] = {extra->q_bias, extra->k_bias, extra->v_bias};
    SHARE(ends[3]);
    for (int which = Q; which <= V; which++) {
        const int first = from > ends[which] ? from : ends[which], last = to < ends[which + 1] ? to : ends[which + 1];
        for (int r = 0; r < d->count; r++) {
            const low_rank *a = adapter_of(d, r, layer);
            const uint8_t *up = which == Q ? a->up_q : which == K ? a->up_k : a->up_v;
            raise(up, (int)a->rank, low_of(d, r) + which, first - ends[which], last - ends[which],
                  d->qkv + (size_t)r * qkv_size(d) + first * LANES);
        }
        for (int g = first; g < last; g++)
            for (int row = 0; row < d->count; row += TILE) {
                const int count = d->count - row < TILE ? d->count - row : TILE;
                floats out[TILE];
                multiply(all + which, g - ends[which], &input, row, count, out);
                add_bias(biases[which], g - ends[which], out, count);
                for (int r = 0; r < count; r++) {
                    float *at = d->qkv + (size_t)(row + r) * qkv_size(d) + g * LANES;
                    store(at, out[r] + load(at));
                }
            }
    }
}

/* Rotary positions (Su et al. 2021) by halves, as transformers lays them out. */
static void rotate(const decoder *d, float *head, int position) {
    const int half_size = d->s.head_size / 2;
    const float *cosine = d->cosine + (size_t)position * half_size, *sine = d->sine + (size_t)position * half_size;
    int i = 0;
    for (; i + LANES <= half_size; i += LANES) {
        const floats one = load(head + i), two = load(head + i + half_size), c = load(cosine + i), s = load(sine + i);
        store(head + i, fma16(one, c, -(two * s)));
        store(head + i + half_size, fma16(two, c, one * s));
    }
    for (; i < half_size; i++) {
        const float one = head[i], two = head[i + half_size];
        head[i] = fmaf(one, cosine[i], -(two * sine[i]));
        head[i + half_size] = fmaf(two, cosine[i], one * sine[i]);
    }
}

/* Heads `from` to `to`, counted over all rows: turned, and their keys and values put into the past. */
static void turn_and_remember(decoder *d, int layer, int from, int to) {
    const int size = d->s.head_size, group = d->s.heads / d->s.kv_heads;
    const vectors *extra = d->vector + layer;
    for (int i = from; i < to; i++) {
        const int r = i / d->s.kv_heads, head = i % d->s.kv_heads, position = d->position[r];
        float *row = d->qkv + (size_t)r * qkv_size(d), *key = row + q_size(d) + head * size;
        for (int h = head * group; h < (head + 1) * group; h++) {
            if (extra->q_norm) normalise(row + h * size, extra->q_norm, size, d->s.epsilon, row + h * size);
            rotate(d, row + h * size, position);
        }
        if (extra->k_norm) normalise(key, extra->k_norm, size, d->s.epsilon, key);
        rotate(d, key, position);
        remember(&d->past, d->slot[r], layer, head, position, key, key + kv_size(d));
    }
}

/* The same heads' look at the past, which must hold all keys and values of this step that they may see. */
static void look_back(decoder *d, int layer, int me, int from, int to) {
    const int size = d->s.head_size, group = d->s.heads / d->s.kv_heads;
    float *scores = d->scores + (size_t)me * HEADS_AT_ONCE * d->s.length;
    for (int i = from; i < to; i++) {
        const int r = i / d->s.kv_heads, head = i % d->s.kv_heads, after = (i + 1) / d->s.kv_heads;
        const float *queries = d->qkv + (size_t)r * qkv_size(d) + head * group * size;
        float *out = d->mixed + (size_t)r * q_size(d) + head * group * size;
        const size_t at = head_at(&d->past, d->slot[r], layer, head);
        upcoming next = {0, -1};
        if (i + 1 < to) next = (upcoming){head_at(&d->past, d->slot[after], layer, (i + 1) % d->s.kv_heads), d->position[after]};
        for (int h = 0; h < group; h += HEADS_AT_ONCE)
            attend(&d->past, at, d->position[r], group - h < HEADS_AT_ONCE ? group - h : HEADS_AT_ONCE, queries + h * size, scores,
                   out + h * size, next);
    }
}

/* Quantises rows `from` to `to` for the next matrix and lowers them by the adapter's part. */
static void prepare(decoder *d, const float *rows, int width, size_t part, int layer, int from, int to) {
    const activations input = rows_of(d, width);
    for (int r = from; r < to; r++) {
        const float *row = rows + (size_t)r * width;
        quantise_row(&input, r, row);
        const low_rank *a = adapter_of(d, r, layer);
        lower(&input, r, part_of(a, part), 1, (int)a->rank, low_of(d, r));
    }
}

/* From queries, keys and values to what the next matrix takes. Where every row is of another text, nobody waits for
 * anybody: a row's past is its own. */
static void attention(decoder *d, int layer, int me, team *crew) {
    SHARE(d->count);
    if (d->apart) {
        turn_and_remember(d, layer, from * d->s.kv_heads, to * d->s.kv_heads);
        look_back(d, layer, me, from * d->s.kv_heads, to * d->s.kv_heads);
    } else {
        const int all = d->count * d->s.kv_heads, first = all * me / crew->size, last = all * (me + 1) / crew->size;
        turn_and_remember(d, layer, first, last);
        meet(crew);
        look_back(d, layer, me, first, last);
        meet(crew);
    }
    prepare(d, d->mixed, q_size(d), PART(down_o), layer, from, to);
}

static void after_gate(decoder *d, int layer, int me, team *crew) {
    SHARE(d->count);
    prepare(d, d->inner, d->s.inner, PART(down_down), layer, from, to);
}

/* Adds a matrix times the prepared rows to x. */
static void add_to_x(decoder *d, const matrix *m, size_t part, int layer, int me, team *crew) {
    const int hidden = d->s.hidden;
    const activations input = rows_of(d, m->inputs);
    SHARE(hidden / LANES);
    for (int r = 0; r < d->count; r++) {
        const low_rank *a = adapter_of(d, r, layer);
        raise(part_of(a, part), (int)a->rank, low_of(d, r), from, to, d->raised + (size_t)r * hidden + from * LANES);
    }
    for (int g = from; g < to; g++)
        for (int row = 0; row < d->count; row += TILE) {
            const int count = d->count - row < TILE ? d->count - row : TILE;
            floats out[TILE];
            multiply(m, g, &input, row, count, out);
            for (int r = 0; r < count; r++) {
                const size_t at = (size_t)(row + r) * hidden + g * LANES;
                store(d->x + at, load(d->x + at) + (out[r] + load(d->raised + at)));
            }
        }
}

static void before_mlp(decoder *d, int layer, int me, team *crew) {
    SHARE(d->count);
    const int hidden = d->s.hidden;
    const activations input = rows_of(d, hidden);
    for (int r = from; r < to; r++) {
        float *normed = d->normed + (size_t)r * hidden;
        normalise(d->x + (size_t)r * hidden, d->vector[layer].before_mlp, hidden, d->s.epsilon, normed);
        quantise_row(&input, r, normed);
        const low_rank *a = adapter_of(d, r, layer);
        lower(&input, r, a->down_gu, 2, (int)a->rank, low_of(d, r));
    }
}

static void gate(decoder *d, int layer, int me, team *crew) {
    const matrix *all = d->linear + layer * PER_LAYER;
    const activations input = rows_of(d, d->s.hidden);
    const int inner = d->s.inner;
    SHARE(inner / LANES);
    for (int r = 0; r < d->count; r++) {
        const low_rank *a = adapter_of(d, r, layer);
        const size_t at = (size_t)r * inner + from * LANES;
        raise(a->up_gate, (int)a->rank, low_of(d, r), from, to, d->inner + at);
        raise(a->up_up, (int)a->rank, low_of(d, r) + 1, from, to, d->raised + at);
    }
    for (int g = from; g < to; g++)
        for (int row = 0; row < d->count; row += TILE) {
            const int count = d->count - row < TILE ? d->count - row : TILE;
            floats gates[TILE], ups[TILE];
            multiply(all + GATE, g, &input, row, count, gates);
            multiply(all + UP, g, &input, row, count, ups);
            for (int r = 0; r < count; r++) {
                const size_t at = (size_t)(row + r) * inner + g * LANES;
                const floats y = gates[r] + load(d->inner + at), up = ups[r] + load(d->raised + at);
                const floats minus = -max16(y, same(-87.0f));
                store(d->inner + at, y / (same(1.0f) + exp16(minus)) * up);
            }
        }
}

static void before_head(decoder *d, int me, team *crew) {
    SHARE(d->wanted);
    const int hidden = d->s.hidden;
    const activations input = rows_of(d, hidden);
    for (int i = from; i < to; i++) {
        float *normed = d->normed + (size_t)i * hidden;
        normalise(d->x + (size_t)d->rows[i] * hidden, d->last_norm, hidden, d->s.epsilon, normed);
        quantise_row(&input, i, normed);
    }
}

static void score(decoder *d, int me, team *crew) {
    const activations input = rows_of(d, d->s.hidden);
    SHARE((d->s.vocab + LANES - 1) / LANES);
    for (int g = from; g < to; g++) {
        const int room = d->s.vocab - g * LANES < LANES ? d->s.vocab - g * LANES : LANES;
        for (int row = 0; row < d->wanted; row += TILE) {
            const int count = d->wanted - row < TILE ? d->wanted - row : TILE;
            floats out[TILE];
            multiply(&d->head, g, &input, row, count, out);
            for (int r = 0; r < count; r++) {
                float *at = d->logits + (size_t)(row + r) * d->s.vocab + g * LANES;
                if (room == LANES) store(at, out[r]);
                else memcpy(at, &out[r], (size_t)room * sizeof(float));
            }
        }
    }
}

static void walk_through(decoder *d, int me, team *crew) {
    embed(d, me, crew);
    for (int layer = 0; layer < d->s.layers; layer++) {
        const matrix *all = d->linear + layer * PER_LAYER;
        meet(crew);
        before_attention(d, layer, me, crew);
        meet(crew);
        project_qkv(d, layer, me, crew);
        meet(crew);
        attention(d, layer, me, crew);
        meet(crew);
        add_to_x(d, all + O, PART(up_o), layer, me, crew);
        meet(crew);
        before_mlp(d, layer, me, crew);
        meet(crew);
        gate(d, layer, me, crew);
        meet(crew);
        after_gate(d, layer, me, crew);
        meet(crew);
        add_to_x(d, all + DOWN, PART(up_down), layer, me, crew);
    }
    if (!d->wanted) return;
    meet(crew);
    before_head(d, me, crew);
    meet(crew);
    score(d, me, crew);
}

static void walk(void *with, int me, team *crew) {
    take_tiles(((const decoder *)with)->count);
    walk_through(with, me, crew);
    leave_tiles();
}

/* Everything is the caller's but what is allocated here, which `decoder_close` frees. */
void decoder_close(decoder *d) {
    if (!d) return;
    if (d->crew.size) disband(&d->crew);
    void *own[] = {d->linear, d->vector, d->adapters, d->x, d->normed, d->qkv, d->mixed, d->inner, d->raised, d->low,
                   d->scores, d->room.levels, d->room.scales, d->room.sums};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) free(own[i]);
    free(d);
}

static int allocate(decoder *d) {
    const sizes *s = &d->s;
    const size_t tokens = (size_t)s->tokens, width = (size_t)(s->inner > q_size(d) ? s->inner : q_size(d));
    const size_t widest = width > (size_t)s->hidden ? width : (size_t)s->hidden;
    d->x = malloc(tokens * s->hidden * sizeof(float));
    d->normed = malloc(tokens * s->hidden * sizeof(float));
    d->qkv = malloc(tokens * qkv_size(d) * sizeof(float));
    d->mixed = malloc(tokens * q_size(d) * sizeof(float));
    d->inner = malloc(tokens * s->inner * sizeof(float));
    d->raised = malloc(tokens * widest * sizeof(float));
    d->low = malloc(tokens * 3 * sizeof *d->low);
    d->scores = malloc((size_t)s->threads * HEADS_AT_ONCE * s->length * sizeof(float));
    d->room.levels = calloc(tokens + TILE, widest); /* tiles read past the last row */
    d->room.scales = malloc(tokens * widest / BLOCK * sizeof(float));
    d->room.sums = malloc(tokens * widest / BLOCK * sizeof(float));
    d->adapters = calloc((size_t)s->slots * s->layers, sizeof *d->adapters);
    return d->x && d->normed && d->qkv && d->mixed && d->inner && d->raised && d->low && d->scores && d->room.levels && d->room.scales &&
           d->room.sums && d->adapters;
}

/* `matrices`: embedding, head, then seven a layer; `bits` beside them. `keys` and `values`: room for the past, zeroed.
 * NULL when memory or threads are lacking. */
decoder *decoder_open(const sizes *s, const void *const *matrices, const int32_t *bits, const vectors *layers,
                      const float *last_norm, const float *cosine, const float *sine, half *keys, half *values) {
    decoder *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    allow_tiles();
    d->s = *s;
    const int q = q_size(d), kv = kv_size(d);
    const int shapes[PER_LAYER][2] = {{q, s->hidden}, {kv, s->hidden}, {kv, s->hidden}, {s->hidden, q},
                                      {s->inner, s->hidden}, {s->inner, s->hidden}, {s->hidden, s->inner}};
    d->embedding = (matrix){matrices[0], s->vocab, s->hidden, bits[0]};
    d->head = (matrix){matrices[1], s->vocab, s->hidden, bits[1]};
    d->linear = calloc((size_t)s->layers * PER_LAYER, sizeof *d->linear);
    d->vector = calloc((size_t)s->layers, sizeof *d->vector);
    if (d->linear && d->vector) {
        for (int i = 0; i < s->layers * PER_LAYER; i++)
            d->linear[i] = (matrix){matrices[2 + i], shapes[i % PER_LAYER][0], shapes[i % PER_LAYER][1], bits[2 + i]};
        memcpy(d->vector, layers, (size_t)s->layers * sizeof *layers);
    }
    d->last_norm = last_norm;
    d->cosine = cosine;
    d->sine = sine;
    d->past = (memory){keys, values, s->slots, s->layers, s->kv_heads, s->head_size, s->length};
    if (!d->linear || !d->vector || !allocate(d) || gather(&d->crew, s->threads)) {
        decoder_close(d);
        return NULL;
    }
    return d;
}

/* Gives a slot an adapter: a `low_rank` for each layer, or NULL for none. The memory it points to is read at each step. */
void decoder_adapter(decoder *d, int32_t slot, const low_rank *layers) {
    low_rank *place = d->adapters + (size_t)slot * d->s.layers;
    if (layers) memcpy(place, layers, (size_t)d->s.layers * sizeof *layers);
    else memset(place, 0, (size_t)d->s.layers * sizeof *place);
}

static int all_apart(const decoder *d, int count, const int32_t *slot) {
    if (count < d->s.threads || count > d->s.slots) return 0;
    for (int r = 0; r < count; r++)
        for (int other = 0; other < r; other++)
            if (slot[other] == slot[r]) return 0;
    return 1;
}

/* Feeds `count` tokens, each to a slot at a position; those of one slot in order of their positions, each after all
 * earlier ones. Writes the scores over the vocabulary of those named in `rows`. */
void decoder_step(decoder *d, int32_t count, const int32_t *tokens, const int32_t *slot, const int32_t *position,
                  int32_t wanted, const int32_t *rows, float *logits) {
    d->count = count;
    d->apart = all_apart(d, count, slot);
    d->tokens = tokens;
    d->slot = slot;
    d->position = position;
    d->wanted = wanted;
    d->rows = rows;
    d->logits = logits;
    together(&d->crew, walk, d);
}

/* Copies `count` positions of a slot's past from `first` on to `outside`, or (into != 0) from there. Both are multiples of
 * 16. Room: 2 * layers * kv_heads * head_size * count halves. */
void decoder_copy(decoder *d, int32_t slot, int32_t first, int32_t count, half *outside, int32_t into) {
    const size_t start = (size_t)first * d->s.head_size, part = (size_t)count * d->s.head_size;
    for (int layer = 0; layer < d->s.layers; layer++)
        for (int head = 0; head < d->s.kv_heads; head++) {
            const size_t at = head_at(&d->past, slot, layer, head) + start;
            for (int which = 0; which < 2; which++, outside += part) {
                half *inside = (which ? d->past.values : d->past.keys) + at;
                if (into) memcpy(inside, outside, part * sizeof(half));
                else memcpy(outside, inside, part * sizeof(half));
            }
        }
}
