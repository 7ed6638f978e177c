// The lab host: lives inside the Lab's namespaces, hands out sockets, open files and programs over the UNIX socket on
// descriptor 3, and ends when that socket closes. Single-threaded on purpose: unshare(CLONE_NEWUSER) demands it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>
#include <optional>

#include "host/children.h"
#include "host/failure.h"
#include "host/namespaces.h"
#include "host/requests.h"

using namespace one_listener;

namespace {

constexpr int kLink = 3;
constexpr size_t kMostDescriptors = 250;  // SCM_MAX_FD is 253

Fields Refusal(const Failure& failure) { return {"ERR", failure.step, failure.syscall, std::to_string(failure.error)}; }

void AppendSteps(Fields& reply, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    reply.push_back(step.name);
    reply.push_back(step.syscall);
    reply.push_back(std::to_string(step.error));
  }
}

// One who may ask: the owner of the Lab, or a guest that the owner has let in. Guests get sockets, and no more than
// their rights say.
struct Link {
  int fd;
  bool owner;
  bool look;  // the kernel's table of sockets, and files (for reading)
  bool wire;  // the far end of the link
};

class Host {
 public:
  explicit Host(std::vector<Step> steps) : steps_(std::move(steps)) {}

  void Answer(const Link& from, const Fields& request) {
    link_ = from;
    const std::string& verb = request[0];
    if (verb == "open") return from.owner ? Open(request) : Describe();
    if (!spaces_) throw Failure{"open", "request", ENOTCONN};
    if (verb == "socket") return Socket(request);
    if (verb == "file") return File(request);
    Require(from.owner, verb);
    if (verb == "spawn") return Spawn(request);
    if (verb == "kill") return Kill(request);
    if (verb == "guest") return Guest(request);
    throw Failure{verb, "request", EINVAL};
  }

  Children& children() { return children_; }
  std::vector<std::pair<Fd, Link>>& guests() { return guests_; }

 private:
  static void Require(bool allowed, const std::string& step) {
    if (!allowed) throw Failure{step, "request", EPERM};
  }

  static const std::string& At(const Fields& request, size_t index) {
    if (index >= request.size()) throw Failure{request[0], "request", EINVAL};
    return request[index];
  }

  // open <hash buckets> <wire: 0|1>  ->  OK <address> <near MAC> <far MAC> <far index> <own hash: 0|1> (<step>
  // <syscall> <errno>)*
  void Open(const Fields& request) {
    if (spaces_) throw Failure{"open", "request", EALREADY};
    try {
      spaces_ = MakeNetwork(
          static_cast<unsigned>(std::strtoul(At(request, 1).c_str(), nullptr, 10)), At(request, 2) == "1", steps_);
    } catch (const Failure& failure) {
      Fields reply = Refusal(failure);
      AppendSteps(reply, steps_);
      SendReply(kLink, reply);
      return;
    }
    Describe();
  }

  void Describe() {
    if (!spaces_) throw Failure{"open", "request", ENOTCONN};
    Fields reply{"OK", spaces_->nearAddress, spaces_->nearHardware, spaces_->farHardware,
        std::to_string(spaces_->farIndex), spaces_->ownHash ? "1" : "0"};
    AppendSteps(reply, steps_);
    SendReply(link_.fd, reply);
  }

  // guest <look: 0|1> <wire: 0|1>  ->  OK + descriptor: a link like this one, for somebody who may ask for less
  void Guest(const Fields& request) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) Fail("guest", "socketpair");
    Fd ours(ends[0]);
    std::vector<Fd> theirs;
    theirs.emplace_back(ends[1]);
    Link link{ours.get(), false, At(request, 1) == "1", At(request, 2) == "1"};
    guests_.emplace_back(std::move(ours), link);
    SendReply(link_.fd, {"OK"}, theirs);
  }

  // socket <kind> <count>  ->  OK + descriptors
  void Socket(const Fields& request) {
    const std::string& kind = At(request, 1);
    size_t count = std::strtoul(At(request, 2).c_str(), nullptr, 10);
    if (count < 1 || count > kMostDescriptors) throw Failure{"socket", "request", EINVAL};
    std::vector<Fd> made;
    while (made.size() < count) made.push_back(OneSocket(kind));
    SendReply(link_.fd, {"OK"}, made);
  }

  Fd OneSocket(const std::string& kind) {
    if (kind == "packet") Require(link_.owner || link_.wire, "wire");
    if (kind == "diag") Require(link_.owner || link_.look, "diag");
    if (kind == "packet") return PacketSocket();
    int fd = -1;
    if (kind == "tcp") fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    else if (kind == "diag") fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    else throw Failure{"socket", "request", EINVAL};
    if (fd < 0) Fail("socket", "socket");
    return Fd(fd);
  }

  // Made in the far namespace and bound to the far end of the link.
  Fd PacketSocket() {
    if (spaces_->farIndex == 0) throw Failure{"wire", "socket", ENODEV};
    if (setns(spaces_->far.get(), CLONE_NEWNET) < 0) Fail("socket", "setns");
    Fd made(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int error = errno;
    if (setns(spaces_->near.get(), CLONE_NEWNET) < 0) std::abort();  // never answer from the wrong namespace
    if (!made) Fail("socket", "socket", error);
    sockaddr_ll place{};
    place.sll_family = AF_PACKET;
    place.sll_protocol = htons(ETH_P_IP);
    place.sll_ifindex = spaces_->farIndex;
    if (bind(made.get(), reinterpret_cast<sockaddr*>(&place), sizeof place) < 0) Fail("socket", "bind");
    return made;
  }

  // file <path> <r|rw>  ->  OK + descriptor. Only the network's own files: those of the machine are none of the Lab's
  // business.
  void File(const Fields& request) {
    const std::string& path = At(request, 1);
    bool ours = path.rfind("/proc/net/", 0) == 0 || path.rfind("/proc/sys/net/", 0) == 0;
    bool writing = At(request, 2) == "rw";
    if (!ours || path.find("..") != std::string::npos || (writing && !link_.owner))
      throw Failure{"file", "open", EACCES};
    Require(link_.owner || link_.look, "file");
    Fd file(open(path.c_str(), (writing ? O_RDWR : O_RDONLY) | O_CLOEXEC));
    if (!file) Fail("file", "open");
    std::vector<Fd> files;
    files.push_back(std::move(file));
    SendReply(link_.fd, {"OK"}, files);
  }

  // spawn <directory> <limits> (<resource> <value>)* <arguments> <argument>* <variable>*  ->  OK <id> <pid> + stdin,
  // stdout, stderr, status
  void Spawn(const Fields& request) {
    Command command;
    size_t at = 1;
    command.directory = At(request, at++);
    for (size_t limits = std::strtoul(At(request, at++).c_str(), nullptr, 10); limits > 0; --limits) {
      int resource = std::atoi(At(request, at++).c_str());
      command.limits.push_back({resource, std::strtoull(At(request, at++).c_str(), nullptr, 10)});
    }
    for (size_t arguments = std::strtoul(At(request, at++).c_str(), nullptr, 10); arguments > 0; --arguments)
      command.arguments.push_back(At(request, at++));
    while (at < request.size()) command.environment.push_back(request[at++]);
    if (command.arguments.empty()) throw Failure{"spawn", "request", EINVAL};
    Started started = children_.Start(command);
    std::vector<Fd> ends;
    ends.push_back(std::move(started.input));
    ends.push_back(std::move(started.output));
    ends.push_back(std::move(started.error));
    ends.push_back(std::move(started.status));
    // Nobody could speak to it or end it.
    if (!SendReply(kLink, {"OK", std::to_string(started.id), std::to_string(started.pid)}, ends))
      children_.Signal(started.id, SIGKILL);
  }

  // kill <id> <signal>  ->  OK
  void Kill(const Fields& request) {
    children_.Signal(std::atoi(At(request, 1).c_str()), std::atoi(At(request, 2).c_str()));
    SendReply(kLink, {"OK"});
  }

  std::vector<Step> steps_;
  std::optional<Namespaces> spaces_;
  Children children_;
  std::vector<std::pair<Fd, Link>> guests_;
  Link link_{kLink, true, true, true};  // who is being answered
};

// Runs as the first process of the PID namespace: its end is the end of every program in the Lab.
int Serve(std::vector<Step> steps) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  Fd ended(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!ended) return 1;
  Host host(std::move(steps));
  Fields request;
  auto answer = [&](const Link& link) {
    if (!ReceiveRequest(link.fd, request)) return false;
    try {
      host.Answer(link, request);
    } catch (const Failure& failure) {
      SendReply(link.fd, Refusal(failure));
    }
    return true;
  };
  const Link owner{kLink, true, true, true};
  std::vector<pollfd> watched;
  for (;;) {
    watched = {{kLink, POLLIN, 0}, {ended.get(), POLLIN, 0}};
    for (auto& [fd, link] : host.guests()) watched.push_back({fd.get(), POLLIN, 0});
    if (poll(watched.data(), watched.size(), -1) < 0) {
      if (errno != EINTR) return 1;
      continue;
    }
    if (watched[1].revents) {
      signalfd_siginfo information;
      while (read(ended.get(), &information, sizeof information) > 0) continue;
      host.children().Reap();
    }
    if (watched[0].revents && !answer(owner)) return 0;
    // from the last: one that has gone takes no other's place
    for (size_t at = watched.size(); at-- > 2;) {
      if (watched[at].revents && !answer(host.guests()[at - 2].second))
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
    Fields ignored, reply = Refusal(failure);
    AppendSteps(reply, steps);
    if (ReceiveRequest(kLink, ignored)) SendReply(kLink, reply);
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
