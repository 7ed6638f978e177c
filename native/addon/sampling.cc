#include "addon/sampling.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>

#include "addon/diag.h"

namespace one_listener {
namespace {

constexpr uint32_t kSynRecv = 1u << 3, kListen = 1u << 10;
constexpr uint8_t kListenState = 10;
// What costs a system call and need not be fresh: the thread's CPU time, and whether the listener is still the one it was.
constexpr double kLookMilliseconds = 10;
// The kernel walks all sockets of the namespace for the SYN queue's length. With thousands of them that takes longer than a period, so it
// is done less often then: a look that took t is followed by a pause of this many t.
constexpr double kTablePause = 4;
// Longer waits can be broken off by stop(); shorter ones use the more punctual clock_nanosleep.
constexpr double kPatience = 5;

double ThreadCpuMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// Moves `due` on by whole periods until it is later than `now`; how many it skipped over.
uint64_t NextDue(double& due, double period, double now) {
  due += period;
  if (due > now) return 0;
  double skipped = std::floor((now - due) / period);
  due += skipped * period;
  return static_cast<uint64_t>(skipped);
}

}  // namespace

Sampling::Sampling(Plan plan)
    : counters(plan.names.size()), plan_(std::move(plan)), listener_(plan_.listenerFd), values_(plan_.names.size(), 0), base_(plan_.names.size(), 0), gauge_(plan_.names.size(), false) {}

std::optional<std::string> Sampling::FindCounters() {
  for (CounterFile& file : plan_.files) file.WantNothing();
  for (size_t slot = 0; slot < plan_.names.size(); ++slot) {
    auto found = std::find_if(plan_.files.begin(), plan_.files.end(), [&](CounterFile& file) { return file.Want(plan_.names[slot], slot); });
    if (found == plan_.files.end()) return plan_.names[slot];
    gauge_[slot] = found->gauges();
  }
  return std::nullopt;
}

void Sampling::Start() {
  if (plan_.listenerFd >= 0) {
    int code = listener_.Check();
    if (code != 0) throw OsError{code, "getsockopt"};
  }
  if (plan_.diagFd >= 0) RequireDiagSocket(plan_.diagFd);
  for (CounterFile& file : plan_.files) {
    int code = file.wanted() ? file.Read(values_) : 0;
    if (code != 0) throw OsError{code, "pread"};
  }
  for (size_t slot = 0; slot < base_.size(); ++slot) base_[slot] = gauge_[slot] ? 0 : values_[slot];
  startedAt = MonotonicMilliseconds();
  thread.Start(error, [this] { Run(); });
}

void Sampling::Stop() {
  thread.Stop();
  queues.Finish();
  clients.Finish();
  counters.Finish();
}

void Sampling::Add(std::shared_ptr<ClientCounts> crowd) {
  std::lock_guard<std::mutex> lock(sources_);
  crowds_.push_back(std::move(crowd));
}

void Sampling::Add(std::shared_ptr<AcceptedCount> loop) {
  std::lock_guard<std::mutex> lock(sources_);
  loops_.push_back(std::move(loop));
}

void Sampling::Run() {
  const double period = 1e3 / plan_.hz, start = startedAt;
  const bool counting = !plan_.names.empty();
  double due = start, counterDue = start, lookDue = start;
  while (!thread.Stopping()) {
    double now = MonotonicMilliseconds();
    if (now >= lookDue) {
      int code = plan_.listenerFd >= 0 ? listener_.Check() : 0;
      if (code != 0 && !Failed(code, "getsockopt")) break;
      cpu = ThreadCpuMilliseconds();
      lookDue = now + kLookMilliseconds;
    }
    if (!Sample(now - start)) break;
    ++samples;
    if (counting && now >= counterDue) {
      if (!SampleCounters(now - start)) break;
      NextDue(counterDue, 1e3 / plan_.countersHz, now);
    }
    missed += NextDue(due, period, MonotonicMilliseconds());
    SleepUntil(due);
  }
  if (error == 0) {
    double end = MonotonicMilliseconds() - start;
    if (Sample(end) && counting) SampleCounters(end);
  }
  cpu = ThreadCpuMilliseconds();
}

void Sampling::SleepUntil(double due) {
  while (due - MonotonicMilliseconds() > kPatience) {
    thread.SleepUntil(due - kPatience / 2);
    if (thread.Stopping()) return;
  }
  timespec until = MonotonicTime(due);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

bool Sampling::Failed(int code, const char* syscall) {
  errorSyscall = syscall;
  error = code;
  return false;
}

bool Sampling::SampleListener(uint32_t& acceptQueue, uint32_t& acceptMax) {
  tcp_info info;
  socklen_t size = offsetof(tcp_info, tcpi_lost);
  if (getsockopt(plan_.listenerFd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return Failed(errno, "getsockopt");
  if (info.tcpi_state != kListenState) return Failed(EINVAL, "getsockopt");
  acceptQueue = info.tcpi_unacked;
  acceptMax = info.tcpi_sacked;
  return true;
}

// Requests, and where there is no descriptor of it the listener itself (all of them, if SO_REUSEPORT lets several share the port).
bool Sampling::SampleTable(uint32_t& acceptQueue, uint32_t& acceptMax, uint32_t& synQueue) {
  size_t listeners = 0;
  auto count = [&](const inet_diag_msg& socket) {
    if (socket.idiag_state != kListenState) {
      ++synQueue;
      return;
    }
    ++listeners;
    acceptQueue += socket.idiag_rqueue;
    acceptMax += socket.idiag_wqueue;
  };
  const uint32_t states = kSynRecv | (plan_.listenerFd < 0 ? kListen : 0);
  int code = DumpSockets(plan_.diagFd, AF_INET, states, plan_.port, count);
  if (code == 0 && plan_.ipv6) code = DumpSockets(plan_.diagFd, AF_INET6, states, plan_.port, count);
  if (code != 0) return Failed(code, "sock_diag");
  if (plan_.listenerFd < 0 && listeners == 0) return Failed(ENOENT, "sock_diag");
  return true;
}

// What the last look has shown, while the next one is not due.
bool Sampling::SampleTableSometimes(uint32_t& acceptQueue, uint32_t& acceptMax, uint32_t& synQueue) {
  double begin = MonotonicMilliseconds();
  if (begin >= tableDue_ || thread.Stopping()) {
    table_ = {};
    if (!SampleTable(table_.acceptQueue, table_.acceptMax, table_.synQueue)) return false;
    double end = MonotonicMilliseconds();
    tableDue_ = end + kTablePause * (end - begin);
  }
  acceptQueue += table_.acceptQueue;
  acceptMax += table_.acceptMax;
  synQueue = table_.synQueue;
  return true;
}

bool Sampling::Sample(double time) {
  uint32_t acceptQueue = 0, acceptMax = 0, synQueue = 0, accepted = 0;
  if (plan_.listenerFd >= 0 && !SampleListener(acceptQueue, acceptMax)) return false;
  if (plan_.diagFd >= 0 && !SampleTableSometimes(acceptQueue, acceptMax, synQueue)) return false;
  int64_t states[kClientStates] = {};
  bool any;
  {
    std::lock_guard<std::mutex> lock(sources_);
    for (auto& loop : loops_) accepted += loop->load(std::memory_order_relaxed);
    any = !crowds_.empty();
    for (auto& crowd : crowds_) {
      ClientCounts::Snapshot counts = crowd->Read();
      for (size_t at = 0; at < kClientStates; ++at) states[at] += counts[at];
    }
  }
  int64_t row[] = {acceptQueue, acceptMax, synQueue, accepted};
  queues.Offer(time, row);
  if (any) clients.Offer(time, states);
  return true;
}

bool Sampling::SampleCounters(double time) {
  for (CounterFile& file : plan_.files) {
    int code = file.wanted() ? file.Read(values_) : 0;
    if (code != 0) return Failed(code, "pread");
  }
  for (size_t slot = 0; slot < values_.size(); ++slot) values_[slot] -= base_[slot];
  counters.Offer(time, values_.data());
  return true;
}

}  // namespace one_listener
