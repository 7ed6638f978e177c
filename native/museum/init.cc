// kernel-init: the first process of a guest. It finds its task in the file that the variable ONE_LISTENER_TASK names
// (the kernel passes on what it does not know of its command line). It needs no program of the machine: it mounts,
// loads modules, brings up lo, runs one command, tells how the command ended, and powers off.
//
// What the command writes to its stdout and stderr is copied to /dev/tty1 and /dev/tty2, so that it finds pipes and no
// terminals there. /dev/tty3 tells the host how far we are, a line each: "running", then "exit N" or "signal N"; or
// "failed TEXT". No output of the command can be taken for one of these.
#include <fcntl.h>
#include <grp.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "base/fd.h"
#include "base/os_error.h"
#include "base/pointers.h"
#include "museum/modules.h"
#include "museum/task.h"

using namespace one_listener;

namespace {

constexpr int kResult = 3;  // the descriptor at which the command finds its result file
constexpr int kNotFound = 127;

// A terminal that changes no byte: no carriage return before a newline, no echo.
Fd Terminal(const char* path) {
  Fd terminal(Require(open(path, O_RDWR | O_NOCTTY | O_CLOEXEC), "open"));
  termios settings{};
  Require(tcgetattr(terminal.get(), &settings), "tcgetattr");
  cfmakeraw(&settings);
  Require(tcsetattr(terminal.get(), TCSANOW, &settings), "tcsetattr");
  return terminal;
}

// All of it, or none where the terminal has gone.
void Write(const Fd& terminal, const char* text, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t written = write(terminal.get(), text + at, size - at);
    if (written < 0 && errno != EINTR) return;
    if (written > 0) at += static_cast<size_t>(written);
  }
}

void Tell(const Fd& report, const std::string& line) {
  Write(report, (line + "\n").c_str(), line.size() + 1);
  tcdrain(report.get());
}

// One stream of the command, on its way to a terminal.
struct Stream {
  Fd read, write;
  Fd terminal;

  explicit Stream(const char* path) : terminal(Terminal(path)) {
    int ends[2];
    Require(pipe2(ends, O_CLOEXEC), "pipe2");
    read.reset(ends[0]);
    write.reset(ends[1]);
    // the reading end alone: the command may expect that its writes block
    Require(fcntl(read.get(), F_SETFL, O_NONBLOCK), "fcntl");
  }

  // Copies what is there now.
  void Copy() {
    char part[16384];
    for (;;) {
      const ssize_t got = ::read(read.get(), part, sizeof part);
      const int error = got < 0 ? errno : 0;
      if (got > 0) Write(terminal, part, static_cast<size_t>(got));
      if (got > 0 || error == EINTR) continue;
      if (error != EAGAIN) read.reset();
      return;
    }
  }
};

void Mount(const char* type, const char* place, const char* data = nullptr) {
  mkdir(place, 0755);
  Require(mount(type, place, type, 0, data), "mount");
}

void Link(const char* target, const char* place) {
  if (symlink(target, place) < 0 && errno != EEXIST) throw OsError{errno, "symlink"};
}

void MakePath(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    mkdir(path.substr(0, at).c_str(), 0755);
  mkdir(path.c_str(), 0755);
}

// Places of the guest's own: what it writes there does not reach the machine.
void MountAll(const Task& task) {
  Mount("proc", "/proc");
  Mount("sysfs", "/sys");
  // the kernel mounts devtmpfs by itself only where its root is no initramfs
  if (mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr) < 0 && errno != EBUSY) throw OsError{errno, "mount"};
  Mount("devpts", "/dev/pts", "ptmxmode=666");
  Mount("tmpfs", "/dev/shm", "mode=1777");
  Mount("tmpfs", "/tmp", "mode=1777");
  Mount("tmpfs", "/run", "mode=755");
  Link("/proc/self/fd", "/dev/fd");
  Link("/proc/self/fd/0", "/dev/stdin");
  Link("/proc/self/fd/1", "/dev/stdout");
  Link("/proc/self/fd/2", "/dev/stderr");
  for (const std::string& folder : task.keep) {
    MakePath(folder);
    Require(mount("none", folder.c_str(), "hostfs", 0, folder.c_str()), "mount");
  }
}

// A kernel without devices gathers randomness slowly, and programs wait for it in getrandom(2): node for seconds.
void Seed(const std::string& text) {
  const size_t size = std::min(text.size(), size_t{256});
  alignas(rand_pool_info) char memory[sizeof(rand_pool_info) + 256] = {};
  auto& pool = *reinterpret_cast<rand_pool_info*>(memory);
  pool.buf_size = static_cast<int>(size);
  // hexadecimal: four bits a character
  pool.entropy_count = static_cast<int>(size) * 4;
  std::copy_n(text.data(), size, memory + sizeof(rand_pool_info));
  const Fd random(Require(open("/dev/urandom", O_RDWR | O_CLOEXEC), "open"));
  Require(ioctl(random.get(), RNDADDENTROPY, memory), "RNDADDENTROPY");
}

void BringUpLoopback() {
  const Fd socket(Require(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  Require(ioctl(socket.get(), SIOCSIFFLAGS, &request), "SIOCSIFFLAGS");
}

// What the command finds at its first four descriptors.
struct Streams {
  Fd input, result;
  Stream output{"/dev/tty1"}, error{"/dev/tty2"};
};

void TakeStreams(const Streams& streams) {
  // dup2() of a descriptor onto itself would leave it closed at exec
  const Fd input(Require(fcntl(streams.input.get(), F_DUPFD_CLOEXEC, kResult + 1), "fcntl"));
  const Fd result(streams.result ? Require(fcntl(streams.result.get(), F_DUPFD_CLOEXEC, kResult + 1), "fcntl") : -1);
  Require(dup2(input.get(), 0), "dup2");
  Require(dup2(streams.output.write.get(), 1), "dup2");
  Require(dup2(streams.error.write.get(), 2), "dup2");
  if (result) Require(dup2(result.get(), kResult), "dup2");
}

[[noreturn]] void BecomeCommand(const Task& task, const Streams& streams) {
  try {
    TakeStreams(streams);
    setsid();
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    if (task.descriptors > 0) {
      const rlimit limit{task.descriptors, task.descriptors};
      Require(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    }
    Require(setgroups(0, nullptr), "setgroups");
    Require(setgid(task.group), "setgid");
    Require(setuid(task.user), "setuid");
    Require(chdir(task.directory.c_str()), task.directory.c_str());
    std::vector<char*> environment = Pointers(task.environment);
    environ = environment.data();
    execvp(task.arguments[0].c_str(), Pointers(task.arguments).data());
    throw OsError{errno, task.arguments[0].c_str()};
  } catch (const OsError& failure) {
    dprintf(2, "%s: %s\n", failure.syscall, std::generic_category().message(failure.error).c_str());
    _exit(kNotFound);
  }
}

// Until the command ends; orphans are taken in, and output is passed on meanwhile. Its wait status.
int Run(const Task& task, Streams& streams) {
  Stream &output = streams.output, &error = streams.error;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, nullptr);
  const Fd ended(Require(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
  const pid_t command = Require(fork(), "fork");
  if (command == 0) BecomeCommand(task, streams);
  output.write.reset();
  error.write.reset();
  for (;;) {
    pollfd watched[] = {{ended.get(), POLLIN, 0}, {output.read.get(), POLLIN, 0}, {error.read.get(), POLLIN, 0}};
    if (poll(watched, 3, -1) < 0 && errno != EINTR) throw OsError{errno, "poll"};
    if (watched[1].revents) output.Copy();
    if (watched[2].revents) error.Copy();
    signalfd_siginfo ignored;
    while (read(ended.get(), &ignored, sizeof ignored) > 0) continue;
    int status = 0;
    for (pid_t gone = waitpid(-1, &status, WNOHANG); gone > 0; gone = waitpid(-1, &status, WNOHANG))
      if (gone == command) return status;
  }
}

std::string Ending(int status) {
  std::string text = WIFEXITED(status) ? "exit " : "signal ";
  text += std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return text;
}

// The file that the kernel's command line names.
const char* TaskFile() {
  constexpr std::string_view name = "ONE_LISTENER_TASK=";
  for (char** each = environ; *each != nullptr; ++each)
    if (std::string_view(*each).starts_with(name)) return *each + name.size();
  throw std::string("no task was given");
}

void Work(const Fd& report) {
  const Task task = ReadTask(TaskFile());
  // before /tmp is hidden
  Fd input(Require(open(task.input.empty() ? "/dev/null" : task.input.c_str(), O_RDONLY | O_CLOEXEC), "open"));
  Fd result;
  if (!task.result.empty()) result.reset(Require(open(task.result.c_str(), O_WRONLY | O_CLOEXEC), "open"));
  for (const std::string& name : task.load) {
    const std::string problem = LoadModule(task.modules, name);
    if (!problem.empty()) throw "a module cannot be loaded: " + problem;
  }
  MountAll(task);
  if (!task.seed.empty()) Seed(task.seed);
  BringUpLoopback();
  Streams streams{std::move(input), std::move(result)};
  Tell(report, "running");
  const int status = Run(task, streams);
  kill(-1, SIGKILL);
  while (wait(nullptr) > 0 || errno == EINTR) continue;
  // what is written must have left before the power is off
  for (Stream* stream : {&streams.output, &streams.error}) {
    if (stream->read) stream->Copy();
    tcdrain(stream->terminal.get());
  }
  if (streams.result) fsync(streams.result.get());
  Tell(report, Ending(status));
}

}  // namespace

int main() {
  // a user-mode kernel mounts its devices by itself; where it has not, this is the first thing needed
  if (access("/dev/tty3", F_OK) < 0) mount("devtmpfs", "/dev", "devtmpfs", 0, nullptr);
  Fd report;
  try {
    report = Terminal("/dev/tty3");
    Work(report);
  } catch (const OsError& failure) {
    std::string line = "failed ";
    line.append(failure.syscall).append(": ").append(std::generic_category().message(failure.error));
    if (report) Tell(report, line);
  } catch (const std::string& why) {
    if (report) Tell(report, "failed " + why);
  }
  sync();
  reboot(LINUX_REBOOT_CMD_POWER_OFF);
  return 1;
}
