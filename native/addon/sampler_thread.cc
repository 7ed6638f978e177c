#include "addon/sampler_thread.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "addon/diag.h"

namespace one_listener {
namespace {

constexpr uint32_t kListen = 1u << 10;
constexpr uint8_t kListenState = 10;
// ms between two looks at what costs a system call and changes slowly: the thread's CPU time, and whether the
// descriptor is still the same listener.
constexpr double kLookMilliseconds = 10;
// The share of a core that a dump of the kernel's table of listeners may take.
constexpr double kListenersShare = 0.2;
// ms. Longer waits can be broken off by stop(); shorter ones use the more punctual clock_nanosleep.
constexpr double kPatience = 5;

// Moves `due` on by whole periods until it is later than `now`; how many it skipped over.
uint64_t NextDue(double& due, double period, double now) {
  due += period;
  if (due > now) return 0;
  double skipped = std::floor((now - due) / period);
  due += skipped * period;
  return static_cast<uint64_t>(skipped);
}

}  // namespace

SamplerThread::SamplerThread(Plan plan)
    : plan_(std::move(plan)), tracks_(plan_.names.size()), listener_(plan_.listenerFd), values_(plan_.names.size(), 0),
      base_(plan_.names.size(), 0), version6_(plan_.ipv6), listenersRation_(kListenersShare),
      requestsRation_(plan_.synShare), gauge_(plan_.names.size(), false) {}

std::optional<std::string> SamplerThread::FindCounters() {
  for (CounterFile& file : plan_.files) file.WantNothing();
  for (size_t slot = 0; slot < plan_.names.size(); ++slot) {
    auto found = std::find_if(
        plan_.files.begin(), plan_.files.end(), [&](CounterFile& file) { return file.Want(plan_.names[slot], slot); });
    if (found == plan_.files.end()) return plan_.names[slot];
    gauge_[slot] = found->gauges();
  }
  return std::nullopt;
}

void SamplerThread::Start() {
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
  startedAt_ = MonotonicMilliseconds();
  thread_.Start(error_, [this] { Run(); });
}

void SamplerThread::Stop() {
  thread_.Stop();
  for (Track* track : {&tracks_.queues, &tracks_.listeners, &tracks_.clients, &tracks_.counters}) track->Finish();
}

void SamplerThread::Add(std::shared_ptr<ClientCounts> clients) {
  std::lock_guard<std::mutex> lock(sources_);
  clients_.push_back(std::move(clients));
}

void SamplerThread::Add(std::shared_ptr<AcceptedCount> accepted) {
  std::lock_guard<std::mutex> lock(sources_);
  acceptors_.push_back(std::move(accepted));
}

void SamplerThread::Run() {
  const double period = 1e3 / plan_.hz, start = startedAt_;
  const bool counting = !plan_.names.empty();
  double due = start, counterDue = start;
  while (!thread_.Stopping()) {
    double now = MonotonicMilliseconds();
    if (!LookAtListener(now) || !Sample(now - start)) break;
    ++samples_;
    if (counting && now >= counterDue) {
      if (!SampleCounters(now - start)) break;
      NextDue(counterDue, 1e3 / plan_.countersHz, now);
    }
    missed_ += NextDue(due, period, MonotonicMilliseconds());
    SleepUntil(due);
  }
  if (error_ == 0) {
    double now = MonotonicMilliseconds();
    lookDue_ = now;  // the descriptor may be another file's since stop() was called
    if (LookAtListener(now) && Sample(now - start) && counting) SampleCounters(now - start);
  }
  cpu_ = ThreadCpuMilliseconds();
}

// Every 10 ms: is the listener still the same, and how much CPU time has the thread used?
bool SamplerThread::LookAtListener(double now) {
  if (now < lookDue_) return true;
  int code = plan_.listenerFd >= 0 ? listener_.Check() : 0;
  if (code != 0) return Failed(code, "getsockopt");
  cpu_ = ThreadCpuMilliseconds();
  lookDue_ = now + kLookMilliseconds;
  return true;
}

void SamplerThread::SleepUntil(double due) {
  while (due - MonotonicMilliseconds() > kPatience) {
    thread_.SleepUntil(due - kPatience / 2);
    if (thread_.Stopping()) return;
  }
  timespec until = TimeSpec(due);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

// A listener may be closed as soon as stop() has been called: what cannot be read any more is left out then.
bool SamplerThread::Failed(int code, const char* syscall) {
  if (thread_.Stopping()) return false;
  errorSyscall_ = syscall;
  error_ = code;
  return false;
}

bool SamplerThread::SampleListener() {
  tcp_info info;
  socklen_t size = offsetof(tcp_info, tcpi_lost);
  if (getsockopt(plan_.listenerFd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return Failed(errno, "getsockopt");
  if (info.tcpi_state != kListenState) return Failed(EINVAL, "getsockopt");
  acceptQueue_ = info.tcpi_unacked;
  acceptMax_ = info.tcpi_sacked;
  return true;
}

// Where there is no descriptor of the listener, sock_diag finds all listeners on the port. Several may share it
// (SO_REUSEPORT, or one for each version of IP). Each has an accept queue of its own, which holds one connection more
// than its limit. The sum is stored with the same rule: its capacity less one is the limit.
bool SamplerThread::SampleListeners() {
  uint32_t count = 0, waiting = 0, capacity = 0, fullest = 0, fullestMax = 0;
  others_.clear();
  auto see = [&](const SeenSocket& seen) {
    if (!IsOurListener(seen.message)) return;
    const uint32_t queue = seen.message.idiag_rqueue, most = seen.message.idiag_wqueue;
    if (count == 0 || uint64_t{queue} * (uint64_t{fullestMax} + 1) > uint64_t{fullest} * (uint64_t{most} + 1)) {
      fullest = queue;
      fullestMax = most;
    }
    ++count;
    waiting += queue;
    capacity += most + 1;
  };
  int code = DumpSockets(plan_.diagFd, {AF_INET, kListen, plan_.port}, see);
  const uint32_t ofVersion4 = count;
  if (code == 0 && plan_.ipv6) code = DumpSockets(plan_.diagFd, {AF_INET6, kListen, plan_.port}, see);
  if (code == 0 && count == 0 && !plan_.stay) code = ENOENT;
  if (code != 0) return Failed(code, "sock_diag");
  acceptQueue_ = waiting;
  if (count > 0) acceptMax_ = capacity - 1;  // while none listens, that of the last one
  sharing_ = {count, fullest, fullestMax};
  several_ = several_ || count > 1;
  version6_ = count > ofVersion4;  // only an IPv6 listener has requests of IPv6
  return true;
}

// The SYN queue. The kernel has no shorter way to its length than a walk over the whole established-hash of the
// namespace.
bool SamplerThread::SampleRequests() {
  uint32_t requests = 0;
  auto see = [&](const SeenSocket& seen) { requests += IsOurRequest(seen) ? 1 : 0; };
  int code = DumpSockets(plan_.diagFd, {AF_INET, kRequests, plan_.port}, see);
  if (code == 0 && version6_) code = DumpSockets(plan_.diagFd, {AF_INET6, kRequests, plan_.port}, see);
  if (code != 0) return Failed(code, "sock_diag");
  synQueue_ = requests;
  return true;
}

// Remembers where the others are bound: the kernel may give them a request that would else be ours.
bool SamplerThread::IsOurListener(const inet_diag_msg& socket) {
  if (!plan_.address) return true;
  BoundAddress bound = BoundAddress::Of(socket);
  if (plan_.anyDevice) bound.device = plan_.address->device;
  if (bound == *plan_.address) return true;
  others_.push_back(bound);
  return false;
}

bool SamplerThread::IsOurRequest(const SeenSocket& seen) const {
  if (plan_.mark != 0) return seen.mark == plan_.mark;
  return !plan_.address || plan_.address->Takes(seen.message, others_);
}

bool SamplerThread::Sample(double time) {
  const bool last = thread_.Stopping(), ofListener = plan_.listenerFd >= 0;
  if (ofListener && !SampleListener()) return false;
  const bool listenersDue = !ofListener && (last || listenersRation_.Due());
  if (listenersDue && !listenersRation_.Spend([this] { return SampleListeners(); })) return false;
  const bool requestsDue = plan_.diagFd >= 0 && (last || requestsRation_.Due());
  if (requestsDue && !requestsRation_.Spend([this] { return SampleRequests(); })) return false;
  OfferRows(time);
  return true;
}

// One row for each track, of what the looks have shown and of what our own threads count.
void SamplerThread::OfferRows(double time) {
  uint32_t accepted = 0;
  std::array<int64_t, kClientStates> states{};
  bool any;
  {
    std::lock_guard<std::mutex> lock(sources_);
    for (auto& count : acceptors_) accepted += count->load(std::memory_order_relaxed);
    any = !clients_.empty();
    for (auto& clients : clients_) {
      ClientCounts::Snapshot counts = clients->Read();
      for (size_t at = 0; at < kClientStates; ++at) states[at] += counts[at];
    }
  }
  tracks_.queues.Offer(time, std::array<int64_t, 4>{acceptQueue_, acceptMax_, synQueue_, accepted});
  if (several_) {
    tracks_.listeners.Offer(time, std::array<int64_t, 3>{sharing_.listeners, sharing_.fullest, sharing_.fullestMax});
  }
  if (any) tracks_.clients.Offer(time, states);
}

bool SamplerThread::SampleCounters(double time) {
  for (CounterFile& file : plan_.files) {
    int code = file.wanted() ? file.Read(values_) : 0;
    if (code != 0) return Failed(code, "pread");
  }
  for (size_t slot = 0; slot < values_.size(); ++slot) values_[slot] -= base_[slot];
  tracks_.counters.Offer(time, values_);
  return true;
}

}  // namespace one_listener
