// accept-worker: a process that only accepts and holds what it has accepted. Descriptor 3 is the listener. Begins when
// it reads a byte: of fifty that wait for the same listener, all would be woken for every connection. Says "<count>"
// now and then, and "full <count>" when it has reached its limit; ends when its input does. Many of them hold more
// connections than one process may.
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

}  // namespace

int main(int argc, char** argv) {
  long most = argc > 1 ? std::atol(argv[1]) : 0;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    // Refused: this process says "full" earlier.
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  long accepted = 0, told = -1;
  double tellAt = 0;
  bool going = false, full = false;
  for (;;) {
    pollfd watched[] = {{kInput, POLLIN, 0}, {kListener, static_cast<short>(POLLIN), 0}};
    bool accepting = going && !full;
    if (poll(watched, accepting ? 2 : 1, static_cast<int>(kReportMilliseconds)) < 0 && errno != EINTR) return 1;
    if (watched[0].revents & (POLLHUP | POLLERR)) return 0;
    char byte;
    if (watched[0].revents & POLLIN) {
      if (read(kInput, &byte, 1) <= 0) return 0;
      going = true;
    }
    for (int round = 0; going && !full && round < kAcceptsBetweenLooks; ++round) {
      if (most > 0 && accepted == most) {
        full = true;
        break;
      }
      int fd = accept4(kListener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        ++accepted;
      } else if (IsExhausted(errno)) {
        full = true;
      } else if (errno != EINTR && errno != ECONNABORTED) {
        break;  // EAGAIN: the queue is empty; EINVAL: the listener has gone
      }
    }
    double now = one_listener::MonotonicMilliseconds();
    if (accepted != told && (full || now >= tellAt)) {
      std::printf(full ? "full %ld\n" : "%ld\n", accepted);
      std::fflush(stdout);
      told = accepted;
      tellAt = now + kReportMilliseconds;
    }
  }
}
