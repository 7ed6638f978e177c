// Starting a lab host and talking to it: one SOCK_SEQPACKET request, one reply, descriptors beside it (unix(7),
// SCM_RIGHTS).
#include <fcntl.h>
#include <napi.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "addon/arguments.h"
#include "addon/parts.h"
#include "addon/system_error.h"
#include "addon/worker.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fields.h"

namespace one_listener {
namespace {

constexpr int kLink = 3;
constexpr size_t kMostDescriptors = 253;

class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&value_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&value_, &none);
    posix_spawnattr_setsigdefault(&value_, &all);
    // A session of its own: Jupyter interrupts a kernel by signalling its whole process group.
    posix_spawnattr_setflags(&value_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&value_); }
  posix_spawnattr_t value_;
};

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&value_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&value_); }
  posix_spawn_file_actions_t value_;
};

// startHost(program): { fd, pid }
Napi::Value StartHost(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string program = Text(info[0], "program");
  std::array<char*, 2> arguments{program.data(), nullptr};

  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) throw SystemError(env, errno, "socketpair");
  Fd near(ends[0]), far(ends[1]);
  SpawnAttributes attributes;
  SpawnActions actions;
  // dup2 onto itself clears CLOEXEC only since glibc 2.29; a far end that happens to be 3 is covered there.
  int error = posix_spawn_file_actions_adddup2(&actions.value_, far.get(), kLink);
  if (error == 0) error = posix_spawn_file_actions_addopen(&actions.value_, 0, "/dev/null", O_RDONLY, 0);
  if (error == 0) error = posix_spawn_file_actions_addopen(&actions.value_, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  if (error == 0)
    error = posix_spawn(&pid, program.c_str(), &actions.value_, &attributes.value_, arguments.data(), environ);
  if (error != 0) throw SystemError(env, error, "posix_spawn", program);
  Napi::Object started = Napi::Object::New(env);
  started.Set("fd", near.release());
  started.Set("pid", static_cast<double>(pid));
  return started;
}

struct Exchange {
  int link;
  int timeout;
  std::string request;
  Fields fields;
  std::vector<Fd> descriptors;
};

int Receive(Exchange& exchange) {
  pollfd waiting{exchange.link, POLLIN, 0};
  const double due = MonotonicMilliseconds() + exchange.timeout;
  for (int left = exchange.timeout;;) {
    int ready = poll(&waiting, 1, left);
    if (ready > 0) break;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
    left = static_cast<int>(std::max(0.0, due - MonotonicMilliseconds()));
  }
  std::vector<char> text(64 * 1024);
  std::vector<char> control(CMSG_SPACE(kMostDescriptors * sizeof(int)));
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = recvmsg(exchange.link, &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return errno;
  if (size == 0) return ECONNRESET;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t at = 0; at < count; ++at) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + at * sizeof(int), sizeof fd);
      exchange.descriptors.emplace_back(fd);
    }
  }
  // The kernel drops what does not fit under this process's own limit; the rest close with `exchange`.
  if (message.msg_flags & MSG_CTRUNC) return EMFILE;
  if (message.msg_flags & MSG_TRUNC) return EMSGSIZE;
  exchange.fields = SplitFields({text.data(), static_cast<size_t>(size)});
  return 0;
}

int Talk(Exchange& exchange) {
  if (send(exchange.link, exchange.request.data(), exchange.request.size(), MSG_NOSIGNAL) < 0) {
    return errno == EPIPE ? ECONNRESET : errno;
  }
  return Receive(exchange);
}

Napi::Value MakeReply(Napi::Env env, Exchange& exchange) {
  Napi::Object reply = Napi::Object::New(env);
  Napi::Array fields = Napi::Array::New(env, exchange.fields.size());
  for (uint32_t at = 0; at < exchange.fields.size(); ++at) fields.Set(at, exchange.fields[at]);
  Napi::Int32Array fds = Napi::Int32Array::New(env, exchange.descriptors.size());
  for (size_t at = 0; at < exchange.descriptors.size(); ++at) fds[at] = exchange.descriptors[at].release();
  reply.Set("fields", fields);
  reply.Set("fds", fds);
  return reply;
}

// hostRequest(fd, fields, timeoutMs): Promise<{ fields, fds }>
Napi::Value HostRequest(const Napi::CallbackInfo& info) {
  // The state is copied into std::function-friendly form by shared ownership: Fd cannot be copied.
  auto exchange = std::make_shared<Exchange>();
  exchange->link = FileDescriptor(info[0]);
  if (!info[1].IsArray()) throw Napi::TypeError::New(info.Env(), "fields must be an array of strings");
  Napi::Array given = info[1].As<Napi::Array>();
  Fields fields;
  for (uint32_t at = 0; at < given.Length(); ++at) fields.push_back(Text(given.Get(at), "fields[]"));
  exchange->request = JoinFields(fields);
  exchange->timeout = static_cast<int>(Integer(info[2], "timeoutMs", 0, 3'600'000));
  return Worker<std::shared_ptr<Exchange>>::Start(
      info.Env(), "hostRequest", exchange, [](auto& state) { return Talk(*state); },
      [](Napi::Env env, auto& state) { return MakeReply(env, *state); });
}

struct Ending {
  pid_t pid;
  int killAfter;
  int status;
};

int WaitForEnd(Ending& ending) {
  for (int waited = 0;; ++waited) {
    pid_t ended = waitpid(ending.pid, &ending.status, WNOHANG);
    if (ended == ending.pid) return 0;
    if (ended < 0) return errno;
    if (waited == ending.killAfter) kill(ending.pid, SIGKILL);
    timespec pause{0, 1'000'000};
    nanosleep(&pause, nullptr);
  }
}

// reap(pid, killAfterMs): Promise<number>
Napi::Value Reap(const Napi::CallbackInfo& info) {
  Ending ending{static_cast<pid_t>(Integer(info[0], "pid", 1, 1 << 30)),
      static_cast<int>(Integer(info[1], "killAfterMs", 0, 3'600'000)), 0};
  return Worker<Ending>::Start(
      info.Env(), "waitpid", ending, WaitForEnd, [](Napi::Env env, Ending& done) -> Napi::Value {
        int status = WIFSIGNALED(done.status) ? -WTERMSIG(done.status) : WEXITSTATUS(done.status);
        return Napi::Number::New(env, status);
      });
}

}  // namespace

void InitHostLink(Napi::Env env, Napi::Object exports) {
  exports.Set("startHost", Napi::Function::New(env, StartHost, "startHost"));
  exports.Set("hostRequest", Napi::Function::New(env, HostRequest, "hostRequest"));
  exports.Set("reap", Napi::Function::New(env, Reap, "reap"));
}

}  // namespace one_listener
