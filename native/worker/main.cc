// accept-worker [MOST]: a process that only accepts and holds what it has accepted; MOST: at most that many, 0: no
// limit. Descriptor 3 is the listener. Begins when it reads a byte, because all
// processes that wait for the same listener are woken for each connection. Prints "<count>" now and then, and "full
// <count>" when it has reached its limit; ends when its input does. Many of these processes hold more connections than
// one process may.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"

namespace {

constexpr int kInput = 0, kListener = 3;
constexpr double kReportMilliseconds = 50;
constexpr int kAcceptsBetweenLooks = 256;

bool IsExhausted(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS; }

// If the kernel refuses, this process has reached its limit, and says "full", earlier.
void TakeHardLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class AcceptWorker {
 public:
  explicit AcceptWorker(long most) : most_(most) {}

  // Until the input ends. The process's exit status.
  int Run() {
    for (;;) {
      pollfd watched[] = {{kInput, POLLIN, 0}, {kListener, POLLIN, 0}};
      const bool accepting = going_ && !full_;
      if (poll(watched, accepting ? 2 : 1, static_cast<int>(kReportMilliseconds)) < 0 && errno != EINTR) return 1;
      if (watched[0].revents & (POLLHUP | POLLERR)) return 0;
      char byte;
      if (watched[0].revents & POLLIN) {
        if (read(kInput, &byte, 1) <= 0) return 0;
        going_ = true;
      }
      if (going_ && !full_) Accept();
      Report();
    }
  }

 private:
  void Accept() {
    for (int round = 0; round < kAcceptsBetweenLooks; ++round) {
      if (most_ > 0 && accepted_ == most_) {
        full_ = true;
        return;
      }
      // Never closed: holding them is what this process is for.
      if (accept4(kListener, nullptr, nullptr, SOCK_CLOEXEC) >= 0) {
        ++accepted_;
      } else if (IsExhausted(errno)) {
        full_ = true;
        return;
      } else if (errno != EINTR && errno != ECONNABORTED) {
        return;  // EAGAIN: the queue is empty; EINVAL: the listener has gone
      }
    }
  }

  void Report() {
    const double now = one_listener::MonotonicMilliseconds();
    if (accepted_ == told_ || (!full_ && now < tellAt_)) return;
    std::printf(full_ ? "full %ld\n" : "%ld\n", accepted_);
    std::fflush(stdout);
    told_ = accepted_;
    tellAt_ = now + kReportMilliseconds;
  }

  const long most_;
  long accepted_ = 0, told_ = -1;
  double tellAt_ = 0;  // CLOCK_MONOTONIC ms
  bool going_ = false, full_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  TakeHardLimit();
  return AcceptWorker(argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0).Run();
}
