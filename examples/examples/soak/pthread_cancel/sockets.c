/* Connections and datagrams. Every call balances after each round of stops:
 * a leak of one round is none of the next. */

static void accept_one(struct target *t)
{
    int descriptor = accept4(far_end, NULL, NULL, SOCK_CLOEXEC);
    int state = hold();
    if (descriptor >= 0) {
        struct linger none = { 1, 0 };
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        close(descriptor);
        taken++;
    } else if (errno == EINTR) {
        t->interrupted++;
    }
    go_on(state);
    look(t);
}

static void accepting(int family, struct sockaddr *address, socklen_t length)
{
    far_end = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bind(far_end, address, length);
    getsockname(far_end, address, &length);
    listen(far_end, 128);
    while (goes_on()) {
        int count = 1 + below(&dice, 3), clients[5], connects = below(&dice, 5), made = 0;
        for (int i = 0; i < count; i++)
            start(&targets[i], accept_one);
        taken = 0;
        for (; made < connects; made++) {
            pause_a_while();
            clients[made] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
            /* Accepted and closed already: that counts too. */
            if (connect(clients[made], address, length) != 0 && errno != ECONNRESET)
                failed++;
        }
        stop_all(targets, count);
        effects += taken;
        fcntl(far_end, F_SETFL, O_NONBLOCK);
        for (int rest; (rest = accept4(far_end, NULL, NULL, 0)) >= 0; taken++) {
            struct linger none = { 1, 0 };
            setsockopt(rest, SOL_SOCKET, SO_LINGER, &none, sizeof none);
            close(rest);
        }
        fcntl(far_end, F_SETFL, 0);
        balance(made, taken);
        while (made > 0)
            close(clients[--made]);
    }
    close(far_end);
}

static void accepting_tcp(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    accepting(AF_INET, (struct sockaddr *)&address, sizeof address);
}

static void accepting_unix(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, path, sizeof path);
    accepting(AF_UNIX, (struct sockaddr *)&address, sizeof address);
    unlink(path);
}

static void receive_one(struct target *t)
{
    uint64_t number;
    if (recvfrom(far_end, &number, sizeof number, 0, NULL, NULL) == sizeof number)
        taken++;
    else if (errno == EINTR)
        t->interrupted++;
    look(t);
}

static uint64_t dropped(void)
{
    uint32_t info[9] = { 0 };
    socklen_t length = sizeof info;
    getsockopt(far_end, SOL_SOCKET, SO_MEMINFO, info, &length);
    return info[8];
}

static void receiving(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof address;
    far_end = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    near_end = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bind(far_end, (struct sockaddr *)&address, length);
    getsockname(far_end, (struct sockaddr *)&address, &length);
    if (connect(near_end, (struct sockaddr *)&address, length) != 0)
        abort();
    while (goes_on()) {
        given = taken = 0;
        uint64_t number, before = dropped();
        int count = 1 + below(&dice, 3);
        for (int i = 0; i < count; i++)
            start(&targets[i], receive_one);
        for (int i = below(&dice, 12); i > 0; i--, given++) {
            pause_a_while();
            send(near_end, &number, sizeof number, 0);
        }
        stop_all(targets, count);
        effects += taken;
        while (recv(far_end, &number, sizeof number, MSG_DONTWAIT) == sizeof number)
            taken++;
        balance(given, taken + dropped() - before);
    }
    close(near_end);
    close(far_end);
}
