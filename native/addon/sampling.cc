#include "addon/sampling.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmath>

#include "addon/diag.h"

namespace one_listener {
namespace {

constexpr uint32_t kSynRecv = 1u << 3, kListen = 1u << 10;
constexpr uint8_t kListenState = 10;

double ThreadCpuMilliseconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

std::string Sampling::FindCounters() {
  for (size_t slot = 0; slot < plan_.names.size(); ++slot) {
    bool found = false;
    for (CounterFile& file : plan_.files) {
      if (!file.Want(plan_.names[slot], slot)) continue;
      gauge_[slot] = file.gauges();
      found = true;
      break;
    }
    if (!found) return plan_.names[slot];
  }
  return "";
}

void Sampling::Start() {
  std::vector<double> values(plan_.names.size(), 0);
  for (CounterFile& file : plan_.files) {
    if (file.wanted()) file.Read(values);
  }
  for (size_t slot = 0; slot < values.size(); ++slot) base_[slot] = gauge_[slot] ? 0 : values[slot];
  startedAt = MonotonicMilliseconds();
  thread.Start([this] { Run(); });
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
  const double period = 1e3 / plan_.hz;
  const double start = startedAt;
  const bool counting = !plan_.names.empty();
  const double counterPeriod = counting ? 1e3 / plan_.countersHz : 0;
  double due = start, counterDue = start;
  while (!thread.Stopping()) {
    double now = MonotonicMilliseconds();
    if (!Sample(now - start)) break;
    ++samples;
    if (counting && now >= counterDue) {
      if (!SampleCounters(now - start)) break;
      counterDue = std::max(counterDue + counterPeriod, now);
    }
    cpu = ThreadCpuMilliseconds();
    due += period;
    now = MonotonicMilliseconds();
    if (now > due + period) {
      double skipped = std::floor((now - due) / period);
      missed += static_cast<uint64_t>(skipped);
      due += skipped * period;
    }
    timespec until = MonotonicTime(due);
    // Slow recordings sleep in parts, so that stop() never waits for them.
    if (period > 50) {
      while (!thread.Stopping() && MonotonicMilliseconds() + 50 < due) {
        timespec part = MonotonicTime(MonotonicMilliseconds() + 50);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &part, nullptr);
      }
    }
    if (!thread.Stopping()) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
  if (error == 0) {
    double end = MonotonicMilliseconds() - start;
    if (Sample(end) && counting) SampleCounters(end);
  }
  cpu = ThreadCpuMilliseconds();
}

bool Sampling::Failed(int code, const char* syscall) {
  errorSyscall = syscall;
  error = code;
  return false;
}

bool Sampling::Sample(double time) {
  QueueRow row{time, 0, 0, 0, 0};
  if (plan_.listenerFd >= 0) {
    tcp_info info{};
    socklen_t size = offsetof(tcp_info, tcpi_lost);
    if (getsockopt(plan_.listenerFd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return Failed(errno, "getsockopt");
    if (info.tcpi_state != kListenState) return Failed(EINVAL, "getsockopt");
    row.acceptQueue = info.tcpi_unacked;
    row.acceptMax = info.tcpi_sacked;
  }
  if (plan_.diagFd >= 0) {
    uint32_t states = kSynRecv | (plan_.listenerFd < 0 ? kListen : 0);
    int code = DumpSockets(plan_.diagFd, states, plan_.port, [&](const inet_diag_msg& socket) {
      if (socket.idiag_state == kListenState) {
        row.acceptQueue += socket.idiag_rqueue;
        row.acceptMax = socket.idiag_wqueue;
      } else {
        ++row.synQueue;
      }
    });
    if (code != 0) return Failed(code, "sock_diag");
  }
  ClientRow clientRow{time, {}};
  bool any;
  {
    std::lock_guard<std::mutex> lock(sources_);
    for (auto& loop : loops_) row.accepted += loop->load(std::memory_order_relaxed);
    any = !crowds_.empty();
    for (auto& crowd : crowds_) {
      for (size_t at = 0; at < kClientStates; ++at) clientRow.counts[at] += (*crowd)[at].load(std::memory_order_relaxed);
    }
  }
  queues.Offer(row);
  if (any) clients.Offer(clientRow);
  return true;
}

bool Sampling::SampleCounters(double time) {
  CounterRow row{time, std::vector<double>(plan_.names.size(), 0)};
  for (CounterFile& file : plan_.files) {
    if (!file.wanted()) continue;
    int code = file.Read(row.values);
    if (code != 0) return Failed(code, "pread");
  }
  for (size_t slot = 0; slot < row.values.size(); ++slot) row.values[slot] -= base_[slot];
  counters.Offer(row);
  return true;
}

}  // namespace one_listener
