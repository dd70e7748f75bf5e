/* Pipes, FIFOs and files. */

static void read_some(struct target *t)
{
    char buffer[1024];
    ssize_t length = read(far_end, buffer, 1 + below(&t->dice, sizeof buffer));
    if (length > 0)
        taken += length;
    else if (errno == EINTR)
        t->interrupted++;
    look(t);
}

static void write_some(struct target *t)
{
    static const char buffer[1024];
    ssize_t length = write(near_end, buffer, 1 + below(&t->dice, sizeof buffer));
    if (length > 0)
        given += length;
    else if (errno == EINTR)
        t->interrupted++;
    look(t);
}

/* One end is cancelled, the other one is plain. */
static void piping(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        abort();
    far_end = ends[0], near_end = ends[1];
    fcntl(near_end, F_SETPIPE_SZ, 4096);
    while (goes_on()) {
        bool reading = below(&dice, 2);
        char buffer[4096];
        given = taken = 0;
        fcntl(ends[!reading], F_SETFL, 0);
        start(targets, reading ? read_some : write_some);
        for (int i = below(&dice, 6); i > 0; i--) {
            pause_a_while();
            size_t most = 1 + below(&dice, 1024);
            ssize_t length = reading ? write(near_end, buffer, most) : read(far_end, buffer, most);
            if (length > 0)
                *(reading ? &given : &taken) += length;
        }
        stop_all(targets, 1);
        effects += reading ? taken : given;
        fcntl(far_end, F_SETFL, O_NONBLOCK);
        for (ssize_t rest; (rest = read(far_end, buffer, sizeof buffer)) > 0;)
            taken += rest;
        fcntl(near_end, F_SETFL, O_NONBLOCK);
        balance(given, taken);
    }
    close(near_end);
    close(far_end);
}

static void open_one(struct target *t, const char *name, int access)
{
    int descriptor = open(name, access | O_CLOEXEC);
    int state = hold();
    if (descriptor >= 0) {
        close(descriptor);
        effects++;
    } else if (errno == EINTR) {
        t->interrupted++;
    }
    go_on(state);
    look(t);
}

static void open_fifo(struct target *t)
{
    open_one(t, path, below(&t->dice, 2) ? O_RDONLY : O_WRONLY);
}

static void open_file(struct target *t)
{
    open_one(t, "/dev/null", O_RDONLY);
}

static void sleep_some(struct target *t)
{
    struct timespec span = { below(&t->dice, 2) ? 3600 : 0, below(&t->dice, 60000) };
    if (clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL) == EINTR)
        t->interrupted++;
    effects++;
    look(t);
}

static void several(void (*work)(struct target *))
{
    while (goes_on()) {
        int count = 2 + below(&dice, 3);
        for (int i = 0; i < count; i++)
            start(&targets[i], work);
        stop_all(targets, count);
    }
}

static void opening_fifos(void)
{
    if (mkfifo(path, 0600) != 0)
        abort();
    several(open_fifo);
    unlink(path);
}

static void opening_files(void) { several(open_file); }
static void sleeping(void) { several(sleep_some); }
