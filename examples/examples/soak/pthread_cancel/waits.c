/* Condition variables and semaphores. */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static uint64_t there;
static sem_t semaphore;

static void unlock(void *argument)
{
    pthread_mutex_unlock(argument);
}

static void take_token(struct target *t)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    while (there == 0)
        pthread_cond_wait(&more, &mutex);
    there--, taken++;
    pthread_cleanup_pop(1);
    look(t);
}

static void put_token(void)
{
    pthread_mutex_lock(&mutex);
    there++;
    pthread_mutex_unlock(&mutex);
    pthread_cond_signal(&more);
}

static void take_permit(struct target *t)
{
    if (sem_wait(&semaphore) == 0)
        taken++;
    else if (errno == EINTR)
        t->interrupted++;
    look(t);
}

static void put_permit(void)
{
    sem_post(&semaphore);
}

/* While one is cancelled, the others get what is put in. */
static void pooling(void (*take)(struct target *), void (*put)(void))
{
    while (goes_on()) {
        int count = 2 + below(&dice, 3), puts = below(&dice, 4), after = below(&dice, puts + 1);
        given = taken = 0;
        for (int i = 0; i < count; i++)
            start(&targets[i], take);
        for (int i = 0; i <= puts; i++) {
            pause_a_while();
            if (i == after)
                request(&targets[0]);
            if (i < puts)
                put(), given++;
        }
        for (uint64_t limit = now() + 1000000000ull; taken != given; sched_yield())
            if (now() > limit) {
                /* No thread took a permit, or a wake-up. */
                balance(given, taken);
                break;
            }
        stop_all(targets, count);
        while (sem_trywait(&semaphore) == 0)
            ;
        there = 0;
        effects += taken;
    }
}

static void conditions(void) { pooling(take_token, put_token); }
static void semaphores(void) { pooling(take_permit, put_permit); }
