// The lab host: lives inside the Lab's namespaces, opens sockets and files and starts programs there, passes their
// descriptors over the UNIX socket on descriptor 3 (host/protocol.h), and ends when that socket closes. Single-threaded
// on purpose: unshare(CLONE_NEWUSER) demands it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "host/host.h"

using namespace one_listener;

namespace {

constexpr int kLink = 3;
constexpr Link kOwner{kLink, true, true, true};

// False when the caller has gone.
bool AnswerOne(Host& host, const Link& link) {
  Fields request;
  const Received received = ReceiveRequest(link.fd, request);
  if (received != Received::kRequest) return received == Received::kRefused;
  try {
    host.Answer(link, request);
  } catch (const Failure& failure) {
    SendReply(link.fd, Refusal(failure));
  }
  return true;
}

// Runs as the first process of the PID namespace: its end is the end of every program in the Lab.
int Serve(std::vector<Step> steps) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, nullptr);
  Fd ended(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!ended) return 1;
  Host host(std::move(steps));
  std::vector<pollfd> watched;
  for (;;) {
    watched = {{kLink, POLLIN, 0}, {ended.get(), POLLIN, 0}};
    for (const GuestLink& guest : host.guests()) watched.push_back({guest.fd.get(), POLLIN, 0});
    if (poll(watched.data(), watched.size(), -1) < 0) {
      if (errno != EINTR) return 1;
      continue;
    }
    if (watched[1].revents) {
      signalfd_siginfo information;
      while (read(ended.get(), &information, sizeof information) > 0) continue;
      host.children().Reap();
    }
    if (watched[0].revents && !AnswerOne(host, kOwner)) return 0;
    // From the last to the first: erasing a guest moves only those behind it.
    for (size_t at = watched.size(); at-- > 2;) {
      if (watched[at].revents && !AnswerOne(host, host.guests()[at - 2].link))
        host.guests().erase(host.guests().begin() + static_cast<ptrdiff_t>(at - 2));
    }
  }
}

}  // namespace

int main() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, SIG_IGN);  // an interrupted notebook cell signals the whole process group
  signal(SIGHUP, SIG_IGN);
  fcntl(kLink, F_SETFD, FD_CLOEXEC);
  std::vector<Step> steps;
  try {
    EnterUserAndPidNamespace(steps);
  } catch (const Failure& failure) {
    Fields ignored;
    if (ReceiveRequest(kLink, ignored) == Received::kRequest) SendReply(kLink, Refusal(failure, steps));
    return 1;
  }
  pid_t inner = fork();
  if (inner == 0) _exit(Serve(std::move(steps)));
  close(kLink);  // only the inner process may keep the link alive
  if (inner < 0) return 1;
  int status = 0;
  while (waitpid(inner, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
