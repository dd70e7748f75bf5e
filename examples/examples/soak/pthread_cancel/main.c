/* The table of calls, and the report in the words of tally.rs. */

static const struct { const char *name; void (*run)(void); } calls[] = {
    { "read, write (pipe)", piping },       { "recv_from (UDP)", receiving },
    { "accept (TCP)", accepting_tcp },      { "accept (Unix)", accepting_unix },
    { "open (FIFO)", opening_fifos },       { "open (file)", opening_files },
    { "sleep", sleeping },                  { "Condvar::wait", conditions },
    { "Semaphore::acquire", semaphores },
};

static int descriptors(void)
{
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all && readdir(all))
        count++;
    closedir(all);
    return count;
}

static void report(void)
{
    printf("stops %ju\neffects %ju\nlost %ju\nmissing %ju\nleaked %ju\ninterrupted %ju\n"
           "spurious %ju\nfailed %ju\nlatency", stops, effects, lost, missing, leaked,
           interrupted, spurious, failed);
    for (int i = 0; i < BUCKETS; i++)
        if (latency[i])
            printf(" %d:%ju", i, latency[i]);
    printf(" max:%ju\n", longest);
}

int main(int count, char **words)
{
    size_t all = sizeof calls / sizeof *calls;
    const char *name = "";
    double seconds = 1;
    for (int i = 1; i < count; i++) {
        if (!strcmp(words[i], "--list"))
            for (size_t call = 0; call < all; call++)
                puts(calls[call].name);
        else if (!strcmp(words[i], "--call") && i + 1 < count)
            name = words[++i];
        else if (!strcmp(words[i], "--seconds") && i + 1 < count)
            seconds = atof(words[++i]);
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    prctl(PR_SET_TIMERSLACK, 1);
    dice = now() ^ getpid();
    snprintf(path, sizeof path, "/tmp/soak-c-%d", getpid());
    sem_init(&semaphore, 0, 0);
    /* The first one loads the unwinder. */
    start(targets, sleep_some);
    request(targets);
    stop_all(targets, 1);
    stops = effects = longest = 0;
    memset(latency, 0, sizeof latency);
    for (size_t call = 0; call < all; call++)
        if (!strcmp(name, calls[call].name)) {
            int before = descriptors();
            until = now() + seconds * 1e9;
            calls[call].run();
            leaked = abs(descriptors() - before);
            report();
            puts("end");
        }
}
