/* A handler that leaves a marked call by siglongjmp(3). In C, because nothing
 * in Rust may return twice. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

static _Thread_local sigjmp_buf back;

static void leaves(int signal) {
    (void)signal;
    siglongjmp(back, 1);
}

/* Installs the handler. */
int leave_on(int signal) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = leaves;
    return sigaction(signal, &action, NULL);
}

/* 1 if the handler has left the call, else 0. */
int was_left(void (*call)(void *), void *argument) {
    if (sigsetjmp(back, 1))
        return 1;
    call(argument);
    return 0;
}
