// The column of std::stop_callback: nanoseconds to register a callback and to withdraw it.
#include <chrono>
#include <cstdio>
#include <stop_token>

int main()
{
    constexpr int turns = 100000;
    std::stop_source source;
    std::stop_token token = source.get_token();
    int called = 0;
    auto begin = std::chrono::steady_clock::now();
    for (int turn = 0; turn < turns; ++turn)
        std::stop_callback callback(token, [&called] { ++called; });
    std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    std::printf("%f\n", taken.count() / turns);
    return called;
}
