/* A few threads that walk through one function together, meeting at barriers.
 *
 * Between two walks they wait in short naps after a moment of spinning; inside one they spin, then yield, because the
 * next part is microseconds away. */
#pragma once

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SPINS 4000

typedef struct team {
    int size;
    void (*walk)(void *, int, struct team *);
    void *with;
    atomic_int arrived, round;
    atomic_int begun; /* how many walks were ordered; -1 to go home */
    pthread_mutex_t lock;
    pthread_cond_t order;
    pthread_t *threads;
} team;

typedef struct {
    team *of;
    int number;
} member;

INLINE void breathe(int spins) {
    if (spins > SPINS) {
        sched_yield();
        return;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Everyone waits until all are here. */
static void meet(team *t) {
    if (t->size == 1) return;
    const int round = atomic_load_explicit(&t->round, memory_order_acquire);
    if (atomic_fetch_add_explicit(&t->arrived, 1, memory_order_acq_rel) == t->size - 1) {
        atomic_store_explicit(&t->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&t->round, round + 1, memory_order_release);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&t->round, memory_order_acquire) == round; spins++) breathe(spins);
}

static void *work(void *argument) {
    member me = *(member *)argument;
    free(argument);
    team *t = me.of;
    int done = 0;
    for (;;) {
        for (int spins = 0; atomic_load_explicit(&t->begun, memory_order_acquire) == done && spins < SPINS; spins++)
            breathe(0);
        if (atomic_load_explicit(&t->begun, memory_order_acquire) == done) {
            pthread_mutex_lock(&t->lock);
            while (atomic_load_explicit(&t->begun, memory_order_acquire) == done) pthread_cond_wait(&t->order, &t->lock);
            pthread_mutex_unlock(&t->lock);
        }
        const int begun = atomic_load_explicit(&t->begun, memory_order_acquire);
        if (begun < 0) return NULL;
        done = begun;
        t->walk(t->with, me.number, t);
        meet(t);
    }
}

/* All members walk; returns when all are through. */
static void together(team *t, void (*walk)(void *, int, team *), void *with) {
    t->walk = walk;
    t->with = with;
    if (t->size > 1) {
        pthread_mutex_lock(&t->lock);
        atomic_store_explicit(&t->begun, (atomic_load_explicit(&t->begun, memory_order_relaxed) + 1) & 0x3fffffff, memory_order_release);
        pthread_cond_broadcast(&t->order);
        pthread_mutex_unlock(&t->lock);
    }
    walk(with, 0, t);
    meet(t);
}

static void disband(team *t) {
    pthread_mutex_lock(&t->lock);
    atomic_store_explicit(&t->begun, -1, memory_order_release);
    pthread_cond_broadcast(&t->order);
    pthread_mutex_unlock(&t->lock);
    for (int i = 1; i < t->size; i++) pthread_join(t->threads[i], NULL);
    free(t->threads);
    pthread_cond_destroy(&t->order);
    pthread_mutex_destroy(&t->lock);
}

/* 0 when the threads run; otherwise none is left behind. */
static int gather(team *t, int size) {
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->order, NULL);
    t->threads = calloc((size_t)size, sizeof *t->threads);
    t->size = 1;
    for (int i = 1; t->threads && i < size; i++) {
        member *one = malloc(sizeof *one);
        if (one) *one = (member){t, i};
        if (!one || pthread_create(&t->threads[i], NULL, work, one)) {
            free(one);
            disband(t);
            return 1;
        }
        t->size = i + 1;
    }
    return t->threads ? 0 : 1;
}
