#pragma once
#include <time.h>

// The only reader of clocks. Times are milliseconds as double: below 2^53 ns, that is for 104 days of uptime, a double
// holds whole nanoseconds, and for years after that whole microseconds. clock_gettime cannot fail for these clocks
// (clock_gettime(2): EINVAL for an unknown one only).
namespace one_listener {

inline double Milliseconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

inline double ReadClock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return Milliseconds(time);
}

// The clock of all times that this project shows: it does not jump, and all processes and namespaces share it.
inline double MonotonicMilliseconds() { return ReadClock(CLOCK_MONOTONIC); }

// CPU time of the calling thread.
inline double ThreadCpuMilliseconds() { return ReadClock(CLOCK_THREAD_CPUTIME_ID); }

// For system calls: a moment or a length of time, not negative.
inline timespec TimeSpec(double milliseconds) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(milliseconds / 1e3);
  time.tv_nsec = static_cast<long>((milliseconds - static_cast<double>(time.tv_sec) * 1e3) * 1e6);
  return time;
}

}  // namespace one_listener
