#include "host/namespaces.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iterator>

#include "host/failure.h"
#include "host/netlink.h"

namespace one_listener {
namespace {

// The Lab's side of the link and everything that can be beyond it (RFC 1918; no route leads further).
constexpr const char* kNear = "wire0";
constexpr const char* kFar = "far0";
constexpr const char* kAddress = "10.0.0.1";
constexpr const char* kGateway = "10.0.0.2";
constexpr const char* kNetwork = "10.0.0.0";
constexpr int kPrefix = 8;

// In one write, or not at all: the kernel takes a map of ids or a sysctl whole (map_write, proc_sys_call_handler).
void WriteFile(const char* step, const char* path, const std::string& text) {
  Fd file(open(path, O_WRONLY | O_CLOEXEC));
  if (!file) Fail(step, "open");
  ssize_t size = write(file.get(), text.data(), text.size());
  if (size < 0) Fail(step, "write");
  if (static_cast<size_t>(size) != text.size()) Fail(step, "write", EIO);
}

template <typename Action>
void Do(std::vector<Step>& steps, const char* name, Action action) {
  try {
    action();
    steps.push_back({name, "", 0});
  } catch (Failure& failure) {
    failure.step = name;
    steps.push_back({name, failure.syscall, failure.error});
    throw;
  }
}

// For what makes the Lab better but is not needed: an older kernel, or a container that mounts /proc/sys read-only.
template <typename Action>
bool Try(std::vector<Step>& steps, const char* name, Action action) {
  try {
    Do(steps, name, action);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

Fd OpenNetworkNamespace() {
  Fd handle(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!handle) Fail("network-namespace", "open");
  return handle;
}

void Enter(const Fd& space) {
  if (setns(space.get(), CLONE_NEWNET) < 0) Fail("network-namespace", "setns");
}

uint32_t Address(const char* text) { return inet_addr(text); }

// IPv6 neighbour discovery would put packets on the link that no experiment asked for. It fails where the kernel has no
// IPv6, or /proc/sys is read-only: harmless, and none of the steps that the doctor shows.
void SilenceIpv6() {
  std::vector<Step> untold;
  Try(untold, "ipv6", [] { WriteFile("", "/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"); });
}

// Runs `ask` in a child, which may enter namespaces of its own for it. False also where there is no child.
template <typename Question>
bool InChild(Question ask) {
  const pid_t child = fork();
  if (child == 0) _exit(ask() ? 0 : 1);
  int status = 1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool SeesSomaxconn() { return access("/proc/sys/net/core/somaxconn", F_OK) == 0; }

// Older kernels (5.10 and 6.1 do, 6.12 does not) show net.core.* only to network namespaces that belong to the first
// user namespace: sysctl_core_net_init() leaves the table empty for all others. Root can make such a network namespace.
bool RootSeesMoreWithoutUserNamespace() {
  return InChild([] {
    if (unshare(CLONE_NEWNET) < 0 || !SeesSomaxconn()) return false;
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && !SeesSomaxconn();
  });
}

// Two settings that the kernel computes from the size of the connection hash (tcp_set_hashinfo in tcp_sk_init()). A Lab
// has a small hash of its own, so the kernel would make them 128 and 512. The Lab gets the machine's values instead.
constexpr const char* kFromHashSize[] = {
    "/proc/sys/net/ipv4/tcp_max_syn_backlog", "/proc/sys/net/ipv4/tcp_max_tw_buckets"};

std::string ReadFile(const char* path) {
  Fd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t size = file ? read(file.get(), text, sizeof text) : -1;
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : std::string();
}

}  // namespace

void EnterUserAndPidNamespace(std::vector<Step>& steps) {
  uid_t user = geteuid();
  gid_t group = getegid();
  const bool stay = user == 0 && RootSeesMoreWithoutUserNamespace();
  if (stay) steps.push_back({"root-namespace", "", 0});
  bool own = !stay && Try(steps, "user-namespace", [] {
    if (unshare(CLONE_NEWUSER) < 0) Fail("", "unshare");
  });
  if (own) {
    Do(steps, "id-maps", [&] {
      WriteFile("", "/proc/self/setgroups", "deny");
      WriteFile("", "/proc/self/uid_map", std::to_string(user) + " " + std::to_string(user) + " 1");
      WriteFile("", "/proc/self/gid_map", std::to_string(group) + " " + std::to_string(group) + " 1");
    });
  } else if (!stay && user != 0) {
    const Step& failed = steps.back();
    throw Failure{failed.name, failed.syscall, failed.error};
  }
  Do(steps, "pid-namespace", [] {
    if (unshare(CLONE_NEWPID) < 0) Fail("", "unshare");
  });
}

Namespaces MakeNetwork(unsigned hashBuckets, bool wire, std::vector<Step>& steps) {
  Namespaces made;
  std::string machine[std::size(kFromHashSize)];
  for (size_t at = 0; at < std::size(kFromHashSize); at++) machine[at] = ReadFile(kFromHashSize[at]);
  Do(steps, "network-namespace", [&] {
    if (unshare(CLONE_NEWNET) < 0) Fail("", "unshare");
    made.far = OpenNetworkNamespace();
    SilenceIpv6();
  });
  // inet_ehash_table_create: a child namespace gets a table of its own if its parent asks for one (Linux 6.1).
  if (hashBuckets > 0) {
    made.ownHash = Try(steps, "established-hash",
        [&] { WriteFile("", "/proc/sys/net/ipv4/tcp_child_ehash_entries", std::to_string(hashBuckets)); });
  }
  Do(steps, "lab-namespace", [&] {
    if (unshare(CLONE_NEWNET) < 0) Fail("", "unshare");
    made.near = OpenNetworkNamespace();
    SilenceIpv6();
  });
  if (made.ownHash) {
    std::vector<Step> untold;  // harmless where /proc/sys is read-only: the kernel's values stay
    for (size_t at = 0; at < std::size(kFromHashSize); at++) {
      if (!machine[at].empty()) Try(untold, "", [&] { WriteFile("", kFromHashSize[at], machine[at]); });
    }
  }
  Do(steps, "loopback-up", [] { BringUp("lo", false); });
  if (!wire) return made;

  Do(steps, "veth", [&] { CreateVethPair(kNear, kFar, made.far.get()); });
  Do(steps, "wire-up", [&] {
    DisableOffloads(kNear);
    BringUp(kNear, true);
    AddAddressAndRoute(kNear, Address(kAddress), Address(kGateway), Address(kNetwork), kPrefix);
    made.nearAddress = kAddress;
    made.nearHardware = HardwareAddress(kNear);
    Enter(made.far);
    DisableOffloads(kFar);
    BringUp(kFar, true);
    made.farIndex = InterfaceIndex(kFar);
    made.farHardware = HardwareAddress(kFar);
    WaitUntilRunning(kFar, 2000);
    Enter(made.near);
    WaitUntilRunning(kNear, 2000);
  });
  return made;
}

}  // namespace one_listener
