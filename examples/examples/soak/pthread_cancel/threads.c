/* The soak on pthread_cancel(3): the same loops in C, stopped by deferred
 * cancellation, written as its manual pages say. A thread whose call has
 * returned disables cancellation until it has accounted for the result, so
 * that close() and the like are no cancellation points in between; a lock is
 * given back by a cleanup handler. What is counted as lost is what no program
 * can prevent: it happens inside the call.
 *
 * Speaks the language of tally.rs on standard output. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { WATCHDOG = 30, MOST = 4, BUCKETS = 256 };

static uint64_t until, dice;
static uint64_t stops, lost, missing, leaked, interrupted, spurious, failed;
static _Atomic uint64_t effects;
static uint64_t latency[BUCKETS], longest;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* splitmix64 */
static uint64_t below(uint64_t *state, uint64_t bound)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return (mixed ^ mixed >> 31) % bound;
}

/* ---- the threads ---- */

struct target {
    pthread_t id;
    void (*work)(struct target *);
    uint64_t dice, requested, began, past, aside_until, interrupted, spurious;
    bool running;
};

static void past(void *argument)
{
    struct target *t = argument;
    t->past = now();
}

static void *run(void *argument)
{
    struct target *t = argument;
    t->began = now();
    pthread_cleanup_push(past, t);
    for (;;)
        t->work(t);
    pthread_cleanup_pop(0);
    return NULL;
}

static int hold(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static void go_on(int before)
{
    pthread_setcancelstate(before, NULL);
}

/* Calls that are to notice nothing, with cancellation disabled. */
static void look(struct target *t)
{
    if (below(&t->dice, 16))
        return;
    int state = hold();
    uint64_t time = 1000 + below(&t->dice, 29000), start = now();
    struct timespec span = { 0, time };
    uint32_t word = 0;
    int result = 0;
    switch (below(&t->dice, 3)) {
    case 0: result = ppoll(NULL, 0, &span, NULL); break;
    case 1: result = nanosleep(&span, NULL); break;
    default:
        result = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &span);
        if (result < 0 && errno == ETIMEDOUT)
            result = 0;
    }
    if (result < 0 && errno == EINTR)
        t->interrupted++;
    t->aside_until = now();
    if (t->aside_until - start < time)
        t->spurious++;
    go_on(state);
}

static void start(struct target *t, void (*work)(struct target *))
{
    *t = (struct target){ .work = work, .dice = below(&dice, UINT64_MAX), .running = true };
    if (pthread_create(&t->id, NULL, run, t) != 0)
        abort();
}

static void pause_a_while(void)
{
    uint64_t kind = below(&dice, 8);
    if (kind < 2)
        return;
    if (kind == 6) {
        struct timespec span = { 0, below(&dice, 60000) };
        nanosleep(&span, NULL);
    } else if (kind == 7) {
        sched_yield();
    } else {
        uint64_t end = now() + below(&dice, kind < 4 ? 1500 : 12000);
        while (now() < end)
            ;
    }
}

static void request(struct target *t)
{
    t->requested = now();
    pthread_cancel(t->id);
    stops++;
}

static void report(void);

static void give_up(const char *what)
{
    lost++;
    report();
    printf("note %s\nend\n", what);
    exit(0);
}

static void stop_all(struct target *targets, int count)
{
    int first = below(&dice, count);
    for (int i = 0; i < count; i++) {
        pause_a_while();
        if (!targets[(first + i) % count].requested)
            request(&targets[(first + i) % count]);
    }
    for (int i = 0; i < count; i++) {
        struct target *t = &targets[i];
        struct timespec limit;
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_sec += WATCHDOG;
        if (pthread_timedjoin_np(t->id, NULL, &limit) != 0)
            give_up("a thread does not end");
        interrupted += t->interrupted;
        spurious += t->spurious;
        if (t->requested > t->began && t->requested > t->aside_until) {
            uint64_t time = t->past - t->requested, value = time < 4 ? 4 : time;
            int octave = 63 - __builtin_clzll(value);
            latency[octave * 4 + (value >> (octave - 2)) % 4]++;
            longest = time > longest ? time : longest;
        }
    }
}

static bool goes_on(void)
{
    return now() < until;
}

static void balance(uint64_t expected, uint64_t found)
{
    missing += expected > found ? expected - found : found - expected;
}

/* ---- what the calls share ---- */

static struct target targets[MOST];
static int near_end, far_end;
static char path[108];
static _Atomic uint64_t given, taken;
