// A stop token's callback registered around every single call: std::stop_callback
// of C++20. Requested, it interrupts the thread that is in the call. Here nothing
// requests: this measures what the registration costs.

#include <csignal>
#include <cstddef>
#include <pthread.h>
#include <stop_token>
#include <unistd.h>

struct Step {
    long number;
    long arguments[6];
};

// Makes the steps in turn, so many times; all their results.
extern "C" void stop_callback_turns(const Step *steps, std::size_t count, std::size_t turns,
                                    long *results)
{
    static const std::stop_source source;
    const std::stop_token token = source.get_token();
    const pthread_t self = pthread_self();
    for (std::size_t turn = 0; turn < turns; ++turn) {
        for (const Step *step = steps; step != steps + count; ++step) {
            const std::stop_callback interrupt(token, [self] { pthread_kill(self, SIGUSR1); });
            if (token.stop_requested())
                return;
            const long *a = step->arguments;
            *results++ = syscall(step->number, a[0], a[1], a[2], a[3], a[4], a[5]);
        }
    }
}
