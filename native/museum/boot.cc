// kernel-boot LIBRARIES PROGRAM [ARGUMENT...]: runs user-mode Linux so that nothing of it outlives us. A user-mode
// kernel is several processes: if the main one alone were killed, those that run the guest's programs would go on by
// themselves, as programs of this machine. So they live in a PID namespace, whose first process ends them all
// (pid_namespaces(7)). Where the machine allows no such namespace, this process adopts and ends what the main one
// leaves behind. LIBRARIES is a folder with the C library that the kernel needs, "" for the machine's; set here and not
// by our caller, because this program needs the machine's. Ends with the kernel's exit status, or 128 + the signal that
// ended it. SIGTERM, SIGINT, SIGHUP and the end of the parent process end the kernel at once.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "base/fd.h"

using one_listener::Fd;

namespace {

constexpr int kCannotStart = 127;

bool Write(const char* path, const std::string& text) {
  Fd file(open(path, O_WRONLY | O_CLOEXEC));
  return file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// Everybody keeps the own user and group: the guest then sees the owner of each file as it is outside.
bool EnterUserNamespace() {
  const std::string user = std::to_string(geteuid()), group = std::to_string(getegid());
  if (unshare(CLONE_NEWUSER) < 0) return false;
  return Write("/proc/self/uid_map", user + " " + user + " 1") && Write("/proc/self/setgroups", "deny") &&
      Write("/proc/self/gid_map", group + " " + group + " 1");
}

// Children of this process are in a PID namespace of their own, where the machine allows it.
bool EnterPidNamespace() {
  if (unshare(CLONE_NEWPID) == 0) return true;
  // tried in a child first: a user namespace that cannot be set up would leave this process without its rights
  const pid_t trial = fork();
  if (trial == 0) _exit(EnterUserNamespace() && unshare(CLONE_NEWPID) == 0 ? 0 : 1);
  int status = 1;
  if (trial < 0 || waitpid(trial, &status, 0) < 0 || status != 0) return false;
  return EnterUserNamespace() && unshare(CLONE_NEWPID) == 0;
}

int ExitStatus(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

// arguments: LIBRARIES, PROGRAM, …
[[noreturn]] void BecomeKernel(char** arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  // NOLINTBEGIN(concurrency-mt-unsafe, clang-analyzer-optin.taint.GenericTaint): one thread; running it is the purpose
  if (arguments[0][0] != '\0') setenv("LD_LIBRARY_PATH", arguments[0], 1);
  execv(arguments[1], arguments + 1);
  // NOLINTEND(concurrency-mt-unsafe, clang-analyzer-optin.taint.GenericTaint)
  std::fprintf(stderr, "%s cannot be started: %s\n", arguments[1], std::generic_category().message(errno).c_str());
  _exit(kCannotStart);
}

// The first process of the PID namespace: takes in orphans, and ends with the kernel; the rest is killed with it.
[[noreturn]] void BeFirst(char** arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t kernel = fork();
  if (kernel == 0) BecomeKernel(arguments);
  if (kernel < 0) _exit(kCannotStart);
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended == kernel) _exit(ExitStatus(status));
    if (ended < 0 && errno != EINTR) _exit(kCannotStart);
  }
}

// Without a PID namespace: kills and reaps the children that are left, until there are none.
void EndAdopted() {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) return;
    if (ended != 0) continue;
    std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
    for (pid_t child = 0; list >> child;) kill(child, SIGKILL);
    usleep(1000);
  }
}

// Our caller removes its folder, unless it was killed. HOME names the folder; any other place is left alone.
void RemoveFolder() {
  const char* home = nullptr;
  for (char** each = environ; *each != nullptr; ++each)
    if (std::string_view(*each).starts_with("HOME=")) home = *each + 5;
  if (home == nullptr || !std::filesystem::path(home).filename().string().starts_with("one-listener-kernel-")) return;
  std::error_code ignored;
  std::filesystem::remove_all(home, ignored);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "kernel-boot LIBRARIES PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  const pid_t parent = getppid();
  sigset_t signals;
  sigemptyset(&signals);
  for (int each : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const bool contained = EnterPidNamespace();
  if (!contained) prctl(PR_SET_CHILD_SUBREAPER, 1);
  // after the namespaces: the kernel forgets it where the credentials change (prctl(2))
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) return kCannotStart;

  const pid_t first = fork();
  if (first == 0) contained ? BeFirst(arguments + 1) : BecomeKernel(arguments + 1);
  if (first < 0) {
    std::fprintf(stderr, "no process for the kernel: %s\n", std::generic_category().message(errno).c_str());
    return kCannotStart;
  }
  for (;;) {
    int got = 0;
    sigwait(&signals, &got);
    if (got != SIGCHLD) kill(first, SIGKILL);
    int status = 0;
    const pid_t ended = waitpid(first, &status, WNOHANG);
    if (ended != first) continue;
    if (!contained) EndAdopted();
    if (getppid() != parent) RemoveFolder();
    return ExitStatus(status);
  }
}
