#include "host/children.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/pointers.h"
#include "host/failure.h"

namespace one_listener {
namespace {

struct Pipe {
  Fd read, write;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) Fail("spawn", "pipe2");
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
};

// What the child tells the host before it becomes the program: its pid outside, then an errno if something failed.
struct Word {
  enum Kind : int { kPid, kStreams, kChdir, kLimit, kExec } kind;
  int value;
};

// Whole or not at all: a word is shorter than PIPE_BUF (pipe(7)). It fails only if the host has gone, and with it this
// process.
void Tell(int fd, Word::Kind kind, int value) {
  Word word{kind, value};
  ssize_t ignored = write(fd, &word, sizeof word);
  (void)ignored;
}

// Errors are ignored: the program then runs without these capabilities. Network capabilities survive the exec of an
// ordinary user's program only through the ambient set (capabilities(7)). They reach no further than this Lab's
// namespaces.
void KeepNetworkCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (syscall(SYS_capget, &header, data.data()) < 0) return;
  for (auto& word : data) word.inheritable = word.permitted;
  if (syscall(SYS_capset, &header, data.data()) < 0) return;
  for (int capability : {CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW})
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

[[noreturn]] void BecomeProgram(const Command& command, int input, int output, int error, int report) {
  char self[16] = {};
  const ssize_t size = readlink("/proc/self", self, sizeof self);
  int pid = 0;
  if (size > 0 && std::from_chars(self, self + size, pid).ec == std::errc()) Tell(report, Word::kPid, pid);
  setsid();
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  for (int signal : {SIGPIPE, SIGINT, SIGHUP}) ::signal(signal, SIG_DFL);
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) {
    Tell(report, Word::kStreams, errno);
    _exit(127);
  }
  if (!command.directory.empty() && chdir(command.directory.c_str()) < 0) {
    Tell(report, Word::kChdir, errno);
    _exit(127);
  }
  KeepNetworkCapabilities();
  for (const Limit& limit : command.limits) {
    rlimit both{limit.value, limit.value};
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource), &both) < 0) {
      Tell(report, Word::kLimit, errno);
      _exit(127);
    }
  }
  std::vector<char*> arguments = Pointers(command.arguments);
  std::vector<char*> environment = Pointers(command.environment);
  environ = environment.data();  // execvp searches the PATH of the new environment
  execvp(arguments[0], arguments.data());
  Tell(report, Word::kExec, errno);
  _exit(127);
}

}  // namespace

Started Children::Start(const Command& command) {
  Pipe input, output, error, report, status;
  pid_t pid = fork();
  if (pid < 0) Fail("spawn", "fork");
  if (pid == 0) BecomeProgram(command, input.read.get(), output.write.get(), error.write.get(), report.write.get());
  report.write.reset();

  Started started{
      next_++, 0, std::move(input.write), std::move(output.read), std::move(error.read), std::move(status.read)};
  Word word;
  ssize_t size;
  while ((size = read(report.read.get(), &word, sizeof word)) != 0) {
    if (size < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (word.kind == Word::kPid) {
      started.pid = word.value;
      continue;
    }
    waitpid(pid, nullptr, 0);
    Fail("spawn",
        word.kind == Word::kStreams     ? "dup2"
            : word.kind == Word::kChdir ? "chdir"
            : word.kind == Word::kLimit ? "setrlimit"
                                        : "execve",
        word.value);
  }
  children_.emplace(started.id, Child{pid, std::move(status.write)});
  return started;
}

void Children::Signal(int id, int signal) {
  auto found = children_.find(id);
  if (found == children_.end()) Fail("signal", "kill", ESRCH);
  if (kill(-found->second.pid, signal) < 0) Fail("signal", "kill");
}

void Children::Reap() {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (auto child = children_.begin(); child != children_.end(); ++child) {
      if (child->second.pid != pid) continue;
      std::string line = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                             : "exit " + std::to_string(WEXITSTATUS(status));
      // Fails only if the owner has closed its end and does not want to know.
      ssize_t ignored = write(child->second.status.get(), line.data(), line.size());
      (void)ignored;
      children_.erase(child);
      break;
    }
  }
}

}  // namespace one_listener
